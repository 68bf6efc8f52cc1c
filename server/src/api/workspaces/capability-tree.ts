/** The document's capability tree, built from a connector's flat list of nodes. */
import type { CapabilityTree } from './schemas/channel.ts';
import { iso } from './schemas/common.ts';

const DISPLAY_NAMES: Record<string, string> = {
  messaging: 'Messaging',
  'messaging.outgoing': 'Outgoing messages',
  'messaging.outgoing.mms': 'Outgoing MMS',
  'messaging.outgoing.media.textFallback': 'Link in place of media',
  'messaging.incoming': 'Incoming messages',
  'messaging.incoming.mms': 'Incoming MMS',
  voice: 'Voice',
  'voice.recording': 'Recording',
};

/** Only these can be switched off for themselves; a channel may lack one, which makes none of the others a leaf. */
const LEAVES = new Set(['messaging.outgoing.mms', 'messaging.outgoing.media.textFallback', 'messaging.incoming.mms', 'voice.recording']);

type Branch = { [key: string]: unknown };

/** A namespace holds a root of its own name: `messaging.outgoing.mms` is at `messaging.messaging.outgoing.mms`. */
export function capabilityTree(nodes: readonly string[], channel: { createdAt: Date; updatedAt: Date }): CapabilityTree {
  const tree: Branch = {};
  for (const path of [...nodes].sort((a, b) => a.split('.').length - b.split('.').length)) {
    if (!DISPLAY_NAMES[path]) continue;
    const [namespace, ...rest] = path.split('.') as [string, ...string[]];
    let branch = tree;
    const keys = [namespace, namespace, ...rest];
    for (const key of keys.slice(0, -1)) {
      branch[key] ??= {};
      branch = branch[key] as Branch;
    }
    branch[keys.at(-1)!] = { ...nodeOf(path, channel), ...(branch[keys.at(-1)!] as Branch | undefined) };
  }
  return tree as CapabilityTree;
}

function nodeOf(path: string, channel: { createdAt: Date; updatedAt: Date }): Branch {
  return {
    displayName: DISPLAY_NAMES[path],
    status: 'enabled',
    name: path,
    version: 1,
    ...(LEAVES.has(path) ? { paused: false } : {}),
    updatedAt: iso(channel.updatedAt),
    createdAt: iso(channel.createdAt),
    expiresAt: null,
  };
}
