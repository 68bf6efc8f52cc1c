import type { FastifyInstance } from 'fastify';
import type { Engine } from '../engine/engine.ts';

export function registerStatic(_app: FastifyInstance, _engine: Engine): void {}
