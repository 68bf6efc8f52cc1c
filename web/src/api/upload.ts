import { readError, unreachable } from './client.ts';
import { workspaceId } from './session.ts';
import type { StoredMedia } from './types.ts';

/** Stores a file. `onProgress` hears the part that is through, 0 to 1. Throws `ApiError`; an abort rejects with `AbortError`. */
export function uploadMedia(file: File, onProgress: (part: number) => void, signal: AbortSignal): Promise<StoredMedia> {
  const call = new XMLHttpRequest();
  const form = new FormData();
  form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    call.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    call.onload = () => {
      if (call.status < 300) resolve(JSON.parse(call.responseText) as StoredMedia);
      else reject(readError(call.status, call.responseText));
    };
    call.onerror = () => reject(unreachable());
    call.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    signal.addEventListener('abort', () => call.abort(), { once: true });
    call.open('POST', `/workspaces/${workspaceId()}/media`);
    call.send(form);
  });
}
