import { useCallback, useEffect, useRef, useState } from 'react';
import type { Capabilities, StoredMedia } from '../api/types.ts';
import { uploadMedia } from '../api/upload.ts';
import { kindOf } from './compose.ts';
import { bytes } from './content/size.ts';

/** A file on its way into a message. */
export interface Attachment {
  key: string;
  file: File;
  /** A picture to show before the server has it. */
  preview?: string;
  /** The part that is through, 0 to 1. */
  progress: number;
  stored?: StoredMedia;
  problem?: string;
}

/** Uploads files as they are added; says at once what the channel cannot carry. */
export function useAttachments(capabilities: Partial<Capabilities> | undefined) {
  const [items, setItems] = useState<Attachment[]>([]);
  const calls = useRef(new Map<string, AbortController>());
  const all = useRef(items);
  all.current = items;

  const update = (key: string, fields: Partial<Attachment>) =>
    setItems((list) => list.map((item) => (item.key === key ? { ...item, ...fields } : item)));

  const start = async ({ key, file }: Attachment) => {
    const call = new AbortController();
    calls.current.set(key, call);
    try {
      const stored = await uploadMedia(file, (progress) => update(key, { progress }), call.signal);
      update(key, { stored, progress: 1 });
    } catch (error) {
      if ((error as Error).name !== 'AbortError') update(key, { problem: (error as Error).message });
    } finally {
      calls.current.delete(key);
    }
  };

  const add = (files: File[]) => {
    const added = files.map(
      (file): Attachment => ({
        key: crypto.randomUUID(),
        file,
        preview: file.type.startsWith('image/') ? URL.createObjectURL(file) : undefined,
        progress: 0,
        problem: obstacleOf(file, capabilities),
      }),
    );
    setItems((list) => [...list, ...added]);
    for (const item of added) if (!item.problem) void start(item);
  };

  const drop = useCallback((item: Attachment) => {
    calls.current.get(item.key)?.abort();
    if (item.preview) URL.revokeObjectURL(item.preview);
  }, []);
  const remove = (key: string) => {
    const item = items.find((one) => one.key === key);
    if (item) drop(item);
    setItems((list) => list.filter((one) => one.key !== key));
  };
  const retry = (key: string) => {
    const item = items.find((one) => one.key === key);
    if (!item) return;
    update(key, { problem: undefined, progress: 0 });
    void start(item);
  };
  const clear = () => {
    for (const item of items) drop(item);
    setItems([]);
  };
  // Leaving the conversation ends what is still under way.
  useEffect(() => () => all.current.forEach(drop), [drop]);

  return {
    items,
    add,
    remove,
    retry,
    clear,
    /** Every file is on the server. */
    settled: items.every(({ stored }) => stored !== undefined),
    stored: () => items.flatMap(({ stored }) => (stored ? [stored] : [])),
  };
}

/** Why the channel cannot carry the file; undefined when it can. */
export function obstacleOf(file: { type: string; size: number }, capabilities: Partial<Capabilities> | undefined): string | undefined {
  const media = capabilities?.media;
  if (!media || capabilities?.email) return undefined;
  const limit = media[kindOf(file.type)] ?? media.file;
  if (!limit) return 'This channel cannot carry such files.';
  if (file.size > limit.maxBytes) return `Too large: this channel carries up to ${bytes(limit.maxBytes)}.`;
  return undefined;
}
