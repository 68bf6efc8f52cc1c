/** A cord between two jacks. */
export function Logo({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="var(--mantine-color-patch-7)" />
      <path d="M10 10.5c0 8 12 3 12 11" fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
      <circle cx="10" cy="9.5" r="3.2" fill="#fff" />
      <circle cx="22" cy="22.5" r="3.2" fill="#fff" />
    </svg>
  );
}
