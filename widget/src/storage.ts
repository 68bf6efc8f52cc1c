/** localStorage that works as a memory of this page where the browser blocks it. */
const memory = new Map<string, string>();

function area(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    // Reading the property alone throws where storage is blocked.
    return undefined;
  }
}

export function load(key: string): string | undefined {
  try {
    return memory.get(key) ?? area()?.getItem(key) ?? undefined;
  } catch {
    return memory.get(key);
  }
}

/** Keeps a value, or forgets it when it is undefined. */
export function keep(key: string, value: string | undefined): void {
  memory.delete(key);
  try {
    if (value === undefined) area()?.removeItem(key);
    else if (area()) area()!.setItem(key, value);
    else memory.set(key, value);
  } catch {
    // Full or blocked: this page remembers, a reload starts anew.
    if (value !== undefined) memory.set(key, value);
  }
}
