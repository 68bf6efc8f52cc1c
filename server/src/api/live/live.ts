import type { FastifyInstance } from 'fastify';
import type { Engine } from '../../engine/engine.ts';
import type { Authenticator } from '../auth.ts';

export function registerLive(_app: FastifyInstance, _engine: Engine, _auth: Authenticator): void {}
