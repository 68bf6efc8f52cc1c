import { Readable } from 'node:stream';

/** Frames that may wait for a slow reader; one that is further behind is cut off and resumes from its last event. */
const MAX_WAITING = 5_000;

/** Server-sent events on their way to one reader, who sets the pace. */
export class EventStream extends Readable {
  readonly #waiting: string[] = [];
  #flowing = false;

  add(frames: string[]): void {
    if (this.readableEnded || this.destroyed) return;
    this.#waiting.push(...frames);
    if (this.#waiting.length > MAX_WAITING) this.destroy(new Error('the reader of an event stream is too slow'));
    else this.#flush();
  }

  /** Ends the stream; the reader may come again. */
  finish(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null);
  }

  override _read(): void {
    this.#flowing = true;
    this.#flush();
  }

  #flush(): void {
    while (this.#flowing && this.#waiting.length > 0) this.#flowing = this.push(this.#waiting.shift()!);
  }
}
