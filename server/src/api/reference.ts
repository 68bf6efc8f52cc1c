import type { FastifyInstance } from 'fastify';

export async function registerReference(_app: FastifyInstance): Promise<void> {}
