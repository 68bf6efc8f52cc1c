/** Failures on demand: the next requests that match get them instead of, or after, the real answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface Fault {
  /** `GET /v1.0/…`: part of method and path; every request unless told. */
  match?: string;
  /** How often; once unless told. */
  times?: number;
  /** `lost`: the request is carried out and the connection breaks before the answer. */
  kind?: 'answer' | 'lost';
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export class Faults {
  readonly #waiting: (Required<Pick<Fault, 'times' | 'kind'>> & Fault)[] = [];

  add(fault: Fault): void {
    this.#waiting.push({ times: 1, kind: 'answer', ...fault });
  }

  take(request: FastifyRequest): Fault | undefined {
    const index = this.#waiting.findIndex((fault) => `${request.method} ${decodeURIComponent(request.url)}`.includes(fault.match ?? ''));
    const fault = this.#waiting[index];
    if (fault && --fault.times <= 0) this.#waiting.splice(index, 1);
    return fault;
  }

  /** Every route of the app meets the faults. */
  install(app: FastifyInstance): void {
    const lost = new WeakSet<FastifyRequest>();
    app.addHook('preHandler', async (request: FastifyRequest, reply: FastifyReply) => {
      const fault = this.take(request);
      if (!fault) return;
      if (fault.kind === 'lost') lost.add(request);
      else {
        await reply
          .code(fault.status ?? 500)
          .headers(fault.headers ?? {})
          .send(fault.body ?? {});
      }
    });
    app.addHook('onSend', async (request, reply, payload) => {
      if (lost.has(request)) reply.raw.destroy();
      return payload;
    });
  }
}
