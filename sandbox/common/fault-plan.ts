/** Failures on demand: the next matching requests are answered badly, late, or not at all. */
export interface Fault {
  /** Which requests; every one unless told. */
  match?: (request: { method: string; path: string }) => boolean;
  /** How often; once unless told. */
  times?: number;
  /** `answer`: instead of the real one. `lost`: the request is carried out, but the connection breaks before the answer. `down`: it breaks at once. */
  kind: 'answer' | 'lost' | 'down';
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export class FaultPlan {
  readonly #planned: (Fault & { left: number })[] = [];

  /** Plans a failure; those planned first come first. */
  add(fault: Fault): void {
    this.#planned.push({ ...fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#planned.length = 0;
  }

  /** The failure that this request shall meet, used up by it. */
  take(request: { method: string; path: string }): Fault | undefined {
    const index = this.#planned.findIndex((fault) => !fault.match || fault.match(request));
    if (index === -1) return undefined;
    const fault = this.#planned[index]!;
    fault.left -= 1;
    if (fault.left <= 0) this.#planned.splice(index, 1);
    return fault;
  }
}
