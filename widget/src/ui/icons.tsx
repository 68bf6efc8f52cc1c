const icon =
  (path: string, filled = false) =>
  () => (
    <svg
      viewBox="0 0 24 24"
      aria-hidden="true"
      fill={filled ? 'currentColor' : 'none'}
      stroke={filled ? 'none' : 'currentColor'}
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d={path} />
    </svg>
  );

export const ChatIcon = icon('M12 3c5 0 9 3.5 9 8s-4 8-9 8c-1 0-2 0-3-.4L4 21l1-4.5C3.7 15 3 13 3 11c0-4.5 4-8 9-8Z', true);
export const DownIcon = icon('m6 9 6 6 6-6');
export const CloseIcon = icon('M6 6l12 12M18 6 6 18');
export const LeaveIcon = icon('M9 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h3M16 8l4 4-4 4M20 12H9');
export const SendIcon = icon('M12 19V5M5.5 11.5 12 5l6.5 6.5');
export const ClipIcon = icon('m20 11-8.3 8.3a5 5 0 0 1-7-7l8.3-8.4a3.4 3.4 0 0 1 4.7 4.8l-8 8a1.7 1.7 0 0 1-2.4-2.4l7.3-7.3');
export const SmileIcon = icon('M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.5 14.5s1.2 1.7 3.5 1.7 3.5-1.7 3.5-1.7M9 9.5h.01M15 9.5h.01');
export const FileIcon = icon('M13.5 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8.5L13.5 3ZM13 3v6h6');
export const ClockIcon = icon('M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 7.5V12l3 2');
export const CheckIcon = icon('m5 12.5 4.5 4.5L19 7.5');
export const ChecksIcon = icon('m2 12.5 4.5 4.5L16 7.5M12 16l1 1L22.5 7.5');
