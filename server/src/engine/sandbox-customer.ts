/**
 * The simulated customer of sandbox channels: writes when told to, and answers agents. Everything it says comes in by
 * the same door as a real customer's words. Every process follows the log and may answer; an answer's id is made from
 * the message that it answers, so the customer answers once.
 */
import type { Logger } from 'pino';
import { CUSTOMERS, type CustomerWords, POLITE_ANSWERS, rawEventOf } from '../../../sandbox/customers.ts';
import { isConnected } from '../model/channel.ts';
import { PatchbayError } from '../model/errors.ts';
import type { LogEvent } from '../model/event.ts';
import { uuidOf, uuidv7 } from '../model/ids.ts';
import { type ChannelRow, getChannel } from '../store/channels.ts';
import { getContact, identitiesOf } from '../store/contacts.ts';
import type { Database } from '../store/database.ts';
import { newestSeq } from '../store/events.ts';
import { getMessage } from '../store/messages.ts';
import type { Channels } from './channels.ts';
import type { Feed } from './feed.ts';
import type { Ingest } from './ingest.ts';

/** Where a channel's settings hold its customers' script. */
export const SCRIPT_KEY = 'sandboxScript';
/** People who try the widget on a sandbox channel speak for themselves: only customers with this prefix are simulated. */
const PREFIX = 'sandbox:';
const DEFAULT_DELAY_MS = 1_200;
/** Events before now that are looked at when following starts: what an agent wrote while nobody was running. */
const LOOK_BACK = 100;
const RECHECK_MS = 5_000;

export interface Script {
  /** In this order, one for each message of an agent; then the customer is silent. Empty: never answers. */
  replies: string[];
  delayMs?: number;
  setAt: string;
}

export interface CustomerMessage {
  customer: string;
  name?: string;
  id?: string;
  text?: string;
  attachment?: CustomerWords['attachment'];
}

export interface SandboxCustomersOptions {
  database: Database;
  channels: Channels;
  feed: Feed;
  ingest: Ingest;
  log: Logger;
}

export class SandboxCustomers {
  readonly #options: SandboxCustomersOptions;
  readonly #followed = new Map<string, () => void>();
  readonly #checked = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #unlisten: (() => Promise<void>) | undefined;
  #stopped = false;

  constructor(options: SandboxCustomersOptions) {
    this.#options = options;
  }

  start(): void {
    this.#unlisten = this.#options.database.listen('patchbay_events', (payload) => {
      const ids = payload === null || payload === '*' ? null : payload.split(',');
      this.#notice(ids).catch((error) => this.#options.log.warn({ err: error }, 'sandbox customers could not look at the log'));
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#unlisten?.();
    for (const end of this.#followed.values()) end();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** The customer writes on a sandbox channel. Gives the message's id at the source. Throws `not-supported`, `channel-inactive`. */
  async write(channel: ChannelRow, message: CustomerMessage): Promise<string> {
    if (!channel.sandbox) throw new PatchbayError('forbidden', 'customers are simulated on sandbox channels only');
    if (!isConnected(channel.status)) throw new PatchbayError('channel-inactive', `${channel.name} is not connected`);
    const customers = CUSTOMERS[channel.source];
    if (!customers) throw new PatchbayError('not-supported', `there are no simulated customers of ${channel.source} yet`);
    const { customer, id = uuidv7(), name = customer, text, attachment } = message;
    const payload = customers.writes({
      id,
      address: PREFIX + customer,
      conversation: uuidOf(`conversation of ${customer} on ${channel.id}`),
      name,
      ...(text === undefined ? {} : { text }),
      ...(attachment ? { attachment } : {}),
      at: new Date(),
    });
    await this.#options.ingest.submit([rawEventOf(channel, payload)]);
    return id;
  }

  /** Sets what the channel's customers answer. */
  async setScript(channel: ChannelRow, script: { replies: string[]; delayMs?: number }): Promise<void> {
    if (!channel.sandbox) throw new PatchbayError('forbidden', 'customers are simulated on sandbox channels only');
    const setAt = new Date().toISOString();
    await this.#options.channels.change(channel.workspaceId, channel.id, { settings: { [SCRIPT_KEY]: { ...script, setAt } } });
  }

  /** Follows every workspace that has sandbox channels, from the moment that something happens there. */
  async #notice(ids: string[] | null): Promise<void> {
    const now = Date.now();
    const unknown = ids?.filter((id) => !this.#followed.has(id) && now - (this.#checked.get(id) ?? 0) > RECHECK_MS);
    if (unknown?.length === 0) return;
    if (this.#checked.size > 10_000) this.#checked.clear();
    for (const id of unknown ?? []) this.#checked.set(id, now);
    const { database, feed } = this.#options;
    const result = await database.query<{ id: string }>(
      `select distinct workspace_id as id from channels where sandbox and source = any($1) and ($2::uuid[] is null or workspace_id = any($2))`,
      [Object.keys(CUSTOMERS), unknown ?? null],
    );
    for (const { id } of result.rows) {
      if (this.#stopped || this.#followed.has(id)) continue;
      this.#followed.set(id, () => undefined);
      const after = Math.max(0, (await newestSeq(database, id)) - LOOK_BACK);
      const { end } = await feed.follow(id, (events) => this.#hear(events), { after });
      if (this.#stopped) end();
      else this.#followed.set(id, end);
    }
  }

  #hear(events: LogEvent[]): void {
    for (const event of events) {
      if (event.type !== 'message.created' || event.data.direction !== 'out' || !event.messageId) continue;
      this.#consider(event).catch((error) => this.#options.log.warn({ err: error }, 'a sandbox customer could not answer'));
    }
  }

  async #consider(event: LogEvent): Promise<void> {
    const { database, ingest } = this.#options;
    const { workspaceId } = event;
    const channel = await getChannel(database, workspaceId, event.channelId!);
    const customers = channel && CUSTOMERS[channel.source];
    if (!channel?.sandbox || !customers || !isConnected(channel.status)) return;
    const identities = await identitiesOf(database, workspaceId, [event.contactId!]);
    const address = identities.find((identity) => identity.value.startsWith(PREFIX))?.value;
    if (!address) return;
    const answer = await this.#answerTo(channel, event);
    if (answer === undefined) return;
    const id = uuidOf(`sandbox answer to ${event.messageId}`);
    const contact = await getContact(database, workspaceId, event.contactId!);
    this.#later(answer.delayMs / 2, async () => {
      await ingest.submit([
        rawEventOf(channel, customers.reads([event.messageId!], new Date())),
        rawEventOf(channel, customers.types(address, true)),
      ]);
    });
    this.#later(answer.delayMs, async () => {
      const payload = customers.writes({
        id,
        address,
        conversation: event.conversationId!,
        ...(contact?.displayName ? { name: contact.displayName } : {}),
        text: answer.text,
        at: new Date(),
      });
      await ingest.submit([rawEventOf(channel, payload)]);
    });
  }

  /** The nth message of an agent gets the nth answer; undefined when it gets none, or has it already. */
  async #answerTo(channel: ChannelRow, event: LogEvent): Promise<{ text: string; delayMs: number } | undefined> {
    const { database } = this.#options;
    const message = await getMessage(database, event.workspaceId, event.messageId!);
    if (!message) return undefined;
    const script = channel.settings[SCRIPT_KEY] as Script | undefined;
    const result = await database.query<{ n: number; answered: boolean }>(
      `select count(*)::integer as n, exists (select 1 from messages where workspace_id = $1 and channel_id = $6 and provider_id = $7) as answered
       from messages where workspace_id = $1 and conversation_id = $2 and direction = 'out'
         and (sent_at, id) < ($3, $4::uuid) and sent_at >= coalesce($5::timestamptz, '-infinity')`,
      [
        event.workspaceId,
        message.conversationId,
        message.sentAt,
        message.id,
        script?.setAt ?? null,
        channel.id,
        uuidOf(`sandbox answer to ${message.id}`),
      ],
    );
    const { n, answered } = result.rows[0]!;
    if (answered || (script && message.sentAt.getTime() < Date.parse(script.setAt))) return undefined;
    const text = script ? script.replies[n] : POLITE_ANSWERS[n % POLITE_ANSWERS.length];
    return text === undefined ? undefined : { text, delayMs: script?.delayMs ?? DEFAULT_DELAY_MS };
  }

  #later(ms: number, work: () => Promise<void>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work().catch((error) => this.#options.log.warn({ err: error }, 'a sandbox customer could not answer'));
    }, ms);
    this.#timers.add(timer);
  }
}
