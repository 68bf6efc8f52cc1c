import { type Api, ApiError, type Message, type OutgoingContent } from './api.ts';
import { advanced, merge } from './history.ts';
import { kindOf } from './settings.ts';
import { openStomp, type Stomp } from './stomp.ts';
import { keep, load } from './storage.ts';

/** A message on its way out. It keeps its `clientId` through every retry, so the server takes it once. */
export interface Outgoing {
  clientId: string;
  at: string;
  state: 'pending' | 'failed';
  /** Missing until the file is uploaded. */
  content?: OutgoingContent;
  file?: File;
  /** A local address of the file, to show it before it is anywhere else. */
  preview?: string;
  progress?: number;
}

export type Phase = 'idle' | 'connecting' | 'online' | 'reconnecting' | 'ended' | 'unavailable';

export interface ChatState {
  phase: Phase;
  messages: Message[];
  outbox: Outgoing[];
  /** An agent writes; the name where it is known. */
  typing: { name?: string } | undefined;
  unread: number;
}

export interface Chat {
  readonly state: ChatState;
  /** Tells of every change; returns how to stop. */
  subscribe(changed: () => void): () => void;
  /** Connects, unless it is connected already. */
  start(): void;
  stop(): void;
  send(content: OutgoingContent): void;
  /** `preview` is a local address of the file. */
  sendFile(file: File, preview: string): void;
  retry(clientId: string): void;
  discard(clientId: string): void;
  typing(on: boolean): void;
  /** The visitor can see the messages now, or no longer. */
  seen(visible: boolean): void;
  end(): Promise<void>;
  /** Forgets an ended chat and begins another. */
  restart(): void;
  /** True when there is something to come back to, so that connecting at once is worth it. */
  resumable: boolean;
}

const MESSAGES = '/user/queue/message';
const EVENTS = '/user/queue/events';
const TYPING_MS = 3000;

/**
 * The conversation with the server, without any drawing: connects, comes back, sends each message once, marks what was
 * read. With a `sample` it shows that, and talks to nobody.
 */
export function createChat(api: Api, channelId: string, givenResumeToken?: string, sample?: Message[]): Chat {
  const resumeKey = `resume_token_${channelId}`;
  const outboxKey = `patchbay_outbox_${channelId}`;
  const readKey = `patchbay_read_${channelId}`;
  if (givenResumeToken) keep(resumeKey, givenResumeToken);

  let state: ChatState = {
    phase: sample ? 'online' : 'idle',
    messages: sample ?? [],
    outbox: sample ? [] : loadOutbox(),
    typing: undefined,
    unread: 0,
  };
  const listeners = new Set<() => void>();
  let running = false;
  /** Counts the connections begun and ended, so that what an older one still waits for is dropped. */
  let life = 0;
  let visible = false;
  let token: string | undefined;
  let signingIn: Promise<void> | undefined;
  let stomp: Stomp | undefined;
  let cursor: string | undefined;
  let flushing = false;
  let held: Message[] = [];
  let readUpTo = Number(load(readKey) ?? 0);
  const receipted = new Map<string, string>();
  const waiting = new Set<() => void>();
  let typingTimer: ReturnType<typeof setTimeout>;
  let ownTypingAt = 0;

  function loadOutbox(): Outgoing[] {
    try {
      return JSON.parse(load(outboxKey) ?? '[]') as Outgoing[];
    } catch {
      return [];
    }
  }

  function set(change: Partial<ChatState>): void {
    state = { ...state, ...change };
    state.unread = state.messages.filter((message) => !message.from_contact && Date.parse(message.sent_at) > readUpTo).length;
    if (change.outbox) {
      // A file cannot be kept over a reload, a text can.
      const texts = state.outbox.filter((item) => item.content && !item.file);
      keep(outboxKey, texts.length > 0 ? JSON.stringify(texts) : undefined);
    }
    for (const changed of listeners) changed();
  }

  const patch = (clientId: string, change: Partial<Outgoing>) =>
    set({ outbox: state.outbox.map((item) => (item.clientId === clientId ? { ...item, ...change } : item)) });

  /** Waits, or less when something happens that makes another try worth it. */
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      waiting.add(done);
    });
  const wake = () => {
    for (const done of waiting) done();
  };
  const backoff = (attempt: number) => Math.min(30_000, 500 * 2 ** attempt) * (0.75 + Math.random() / 2);

  /** Everything that needs a token shares one sign-in: two at once would begin two conversations. */
  function authenticate(): Promise<void> {
    if (!signingIn) {
      const mine = signIn().finally(() => {
        if (signingIn === mine) signingIn = undefined;
      });
      signingIn = mine;
    }
    return signingIn;
  }

  async function signIn(): Promise<void> {
    const resume = load(resumeKey);
    const mine = life;
    try {
      const answer = await api.authenticate(resume);
      if (mine !== life) return;
      token = answer.token;
      cursor ??= answer.cursor;
      receive(answer.messages);
    } catch (error) {
      if (mine !== life) return;
      if (!(resume && error instanceof ApiError && (error.unauthorized || error.status === 400))) throw error;
      // The old conversation cannot be resumed any more: begin a new one.
      keep(resumeKey, undefined);
      cursor = undefined;
      set({ messages: [] });
      stomp?.close();
      await signIn();
    }
  }

  function receive(messages: Message[]): void {
    // An unknown message that says the same as one on its way out may be its echo: it waits until that one's id is known.
    const pending = new Set(state.outbox.filter((item) => item.state === 'pending').map((item) => essence(item.content)));
    const known = new Set(state.messages.map((message) => message.id));
    const echo = (message: Message) => message.from_contact && !known.has(message.id) && pending.has(essence(message.content));
    held.push(...messages.filter(echo));
    const shown = messages.filter((message) => !echo(message));
    const typing = shown.some((message) => !message.from_contact && !known.has(message.id)) ? undefined : state.typing;
    set({ messages: merge(state.messages, shown), typing });
    acknowledge();
  }

  function acknowledge(): void {
    const level = visible ? 'read' : 'delivered';
    const theirs = state.messages.filter((message) => !message.from_contact);
    if (visible && state.unread > 0) {
      readUpTo = Math.max(readUpTo, ...theirs.map((message) => Date.parse(message.sent_at)));
      keep(readKey, String(readUpTo));
      set({});
    }
    if (state.phase !== 'online') return;
    const rest = theirs.filter((message) => {
      const told = receipted.get(message.id) ?? message.delivery_state;
      return told !== 'read' && told !== level && advanced({ ...message, delivery_state: told }, level).delivery_state === level;
    });
    if (rest.length === 0) return;
    for (const message of rest) receipted.set(message.id, level);
    transmit('/app/receipts', { message_ids: rest.slice(-200).map((message) => message.id), state: level });
  }

  const transmit = (destination: string, body: object) =>
    stomp?.frame('SEND', { destination, 'content-type': 'application/json' }, JSON.stringify(body));

  /** One life of the WebSocket; resolves when it is over. */
  const live = (opened: () => void) =>
    new Promise<void>((resolve) => {
      stomp = openStomp(api.socketUrl, token!, {
        connected(connected) {
          connected.frame('SUBSCRIBE', { id: 'm', destination: MESSAGES, receipt: 'm', ...(cursor && { after: cursor }) });
          connected.frame('SUBSCRIBE', { id: 'e', destination: EVENTS });
        },
        receipt() {
          opened();
          set({ phase: 'online' });
          acknowledge();
          // What waits to be sent again need not wait any longer.
          wake();
          void flush();
          // Without a cursor, what was said between the history and the subscription would be missed.
          if (!cursor && load(resumeKey)) authenticate().catch(() => stomp?.close());
        },
        message(headers, body) {
          const event = JSON.parse(body) as { message?: Message } & Record<string, unknown>;
          if (headers.subscription === 'm') {
            cursor = headers['message-id'];
            if (event.message) receive([event.message]);
          } else if (event.type === 'typing') {
            clearTimeout(typingTimer);
            set({ typing: event.on ? { name: event.name as string | undefined } : undefined });
            // An agent whose line breaks never says that they stopped.
            if (event.on) typingTimer = setTimeout(() => set({ typing: undefined }), TYPING_MS * 4);
          } else if (event.type === 'state') {
            const change = (message: Message) =>
              message.id === event.message_id ? advanced(message, event.delivery_state as string) : message;
            set({ messages: state.messages.map(change) });
          } else if (event.type === 'ended') over(true);
        },
        closed(error) {
          stomp = undefined;
          // A receipt may have been lost with the connection.
          receipted.clear();
          if (error?.includes('401')) token = undefined;
          resolve();
        },
      });
    });

  async function run(): Promise<void> {
    running = true;
    life += 1;
    const mine = life;
    let attempt = 0;
    set({ phase: 'connecting' });
    while (mine === life) {
      try {
        if (!token) await authenticate();
        if (mine !== life) return;
        void flush();
        let opened = false;
        await live(() => {
          opened = true;
          attempt = 0;
        });
        // Where WebSockets do not get through, every attempt fetches at least what was said meanwhile.
        if (!opened && load(resumeKey)) token = undefined;
      } catch (error) {
        if (mine === life && error instanceof ApiError && !error.passing) {
          running = false;
          set({ phase: 'unavailable' });
          return;
        }
      }
      if (mine !== life) return;
      set({ phase: 'reconnecting', typing: undefined });
      await pause(backoff(attempt));
      attempt += 1;
    }
  }

  /** Sends what waits, in order, until all is out or refused for good. */
  async function flush(): Promise<void> {
    if (flushing || !running) return;
    flushing = true;
    const mine = life;
    let attempt = 0;
    for (let item = next(); item && mine === life; item = next()) {
      try {
        if (!token) await authenticate();
        // The way back is kept before the first message goes, so that a reload in between still finds the conversation.
        if (!load(resumeKey)) keep(resumeKey, await api.resumeToken(token!));
        const message = await api.send(token!, item.content ?? (await upload(item)), item.clientId);
        if (mine !== life) break;
        const { clientId, preview } = item;
        set({
          outbox: state.outbox.filter((other) => other.clientId !== clientId),
          messages: merge(state.messages, [{ ...message, clientId, preview }]),
        });
        attempt = 0;
      } catch (error) {
        if (mine !== life) break;
        const failure = error instanceof ApiError ? error : new ApiError(0);
        if (failure.unauthorized && attempt < 2) token = undefined;
        else if (!failure.passing) {
          patch(item.clientId, { state: 'failed' });
          continue;
        }
        await pause(Math.max(failure.retryAfterMs, backoff(attempt)));
        attempt += 1;
      }
    }
    flushing = false;
    if (mine !== life) void flush();
    const echoes = held;
    held = [];
    if (echoes.length > 0) receive(echoes);
  }

  const next = () => state.outbox.find((item) => item.state === 'pending');

  async function upload(item: Outgoing): Promise<OutgoingContent> {
    const { clientId, file } = item;
    const url = await api.upload(token!, file!, (progress) => patch(clientId, { progress }));
    const content: OutgoingContent = { attachment: { type: kindOf(file!.type), payload: { url, name: file!.name } } };
    patch(clientId, { content, progress: 1 });
    return content;
  }

  function enqueue(item: Partial<Outgoing>): void {
    if (sample) return;
    const now = new Date().toISOString();
    set({ outbox: [...state.outbox, { clientId: uuid(), at: now, state: 'pending', ...item }] });
    if (!running && state.phase !== 'ended') void run();
    else void flush();
  }

  function over(byAgent = false): void {
    running = false;
    life += 1;
    wake();
    stomp?.close();
    token = undefined;
    signingIn = undefined;
    cursor = undefined;
    keep(resumeKey, undefined);
    held = [];
    // What was still on its way stays in sight, to be sent in the next chat.
    const outbox = byAgent ? state.outbox.map((item) => ({ ...item, state: 'failed' as const })) : [];
    set({ phase: 'ended', outbox, typing: undefined });
  }

  return {
    get state() {
      return state;
    },
    get resumable() {
      return !sample && (load(resumeKey) !== undefined || state.outbox.length > 0);
    },
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    start() {
      if (sample || running || state.phase === 'ended') return;
      addEventListener('online', wake);
      void run();
    },
    stop() {
      running = false;
      life += 1;
      removeEventListener('online', wake);
      wake();
      stomp?.close();
    },
    send: (content) => enqueue({ content }),
    sendFile: (file, preview) => enqueue({ file, preview, progress: 0 }),
    retry(clientId) {
      patch(clientId, { state: 'pending' });
      void flush();
    },
    discard(clientId) {
      set({ outbox: state.outbox.filter((item) => item.clientId !== clientId) });
    },
    typing(on) {
      const now = Date.now();
      if (on ? now - ownTypingAt < TYPING_MS : ownTypingAt === 0) return;
      ownTypingAt = on ? now : 0;
      transmit('/app/typing', { on });
    },
    seen(now) {
      visible = now;
      if (visible) wake();
      acknowledge();
    },
    async end() {
      try {
        if (token) await api.end(token);
      } catch {
        // Offline or not, the visitor is done with it: without its resume token nobody comes back to it from here.
      }
      over();
    },
    restart() {
      set({ messages: [], phase: 'idle' });
      receipted.clear();
      void run();
    },
  };
}

/** What tells one message's content from another's: its text, or the address of its file. */
function essence(content: unknown): unknown {
  const { text, attachment } = (content ?? {}) as { text?: string; attachment?: { payload?: { url?: string } } };
  return text ?? attachment?.payload?.url;
}

/** A random UUID, also on pages without TLS, where `crypto.randomUUID` is missing. */
function uuid(): string {
  return '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (digit) =>
    (Number(digit) ^ (crypto.getRandomValues(new Uint8Array(1))[0]! & (15 >> (Number(digit) / 4)))).toString(16),
  );
}
