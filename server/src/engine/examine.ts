/** The rules of the gate: may this go out there, as it is, now? The same for every sender and for the dry run. */
import { type Connector, capabilitiesOf, type Estimate } from '../connectors/connector.ts';
import type { Capabilities, WindowRule } from '../model/capabilities.ts';
import { isConnected } from '../model/channel.ts';
import { type Content, mediaOf, type TemplateContent } from '../model/content.ts';
import { degrade, problemsOf } from '../model/degrade.ts';
import { PatchbayError } from '../model/errors.ts';
import type { Client } from '../store/database.ts';
import { getManyMedia } from '../store/media.ts';
import { type ProviderTemplateRow, templateShape, templatesOfAccount } from '../store/provider-templates.ts';
import type { Channels } from './channels.ts';
import type { Destination } from './destination.ts';
import { loopProblem } from './mail-loop.ts';

export interface Question {
  workspaceId: string;
  content: Content;
  /** What happens to content that the channel cannot carry; `reject` unless told. */
  degrade?: 'reject' | 'degrade';
  tag?: string;
  sendAt?: Date;
  /** Channels of test keys only: as if the contact had just written. */
  ignoreWindow?: boolean;
}

export interface Examination {
  /** What would be sent. */
  content: Content;
  /** What was changed on the way, in plain words. */
  changes: string[];
  /** Why it cannot be sent; the first is the one that a send throws. */
  problems: PatchbayError[];
  /** How it would be cut and billed, where the source cuts. */
  estimate?: Estimate;
  /** null: free messages are allowed at any time. */
  window: { open: boolean; expiresAt: Date | null; tag?: string } | null;
}

export interface ExamineParts {
  client: Client;
  channels: Channels;
  /** The address of a stored file that goes into a text in place of the file. */
  mediaUrl(workspaceId: string, id: string): string;
  /** Fetches the templates of a channel that has none yet. Absent within a transaction, whose locks it would wait for. */
  syncTemplates?(destination: Pick<Destination, 'channel'>): Promise<void>;
}

/** Looks at everything, so that all problems show at once. */
export async function examine(parts: ExamineParts, destination: Destination, question: Question): Promise<Examination> {
  const { channel } = destination;
  const connector = parts.channels.connectorOf(channel.source);
  const view = parts.channels.view(channel);
  const capabilities = capabilitiesOf(connector, view);
  const problems: PatchbayError[] = [];
  if (!isConnected(channel.status)) problems.push(new PatchbayError('channel-inactive', `${channel.name} is not connected`));
  if (!connector.send) problems.push(new PatchbayError('not-supported', `${connector.title} does not send`));

  const asked = await withFileFacts(parts.client, question.workspaceId, question.content);
  const fitted = adapted(connector, view, capabilities, asked, question, parts, problems);
  const template = templateIn(connector, fitted.content);
  const filled = template && connector.templates ? await fillTemplate(parts, connector, destination, template, problems) : template;
  const content = withTemplate(fitted.content, filled);
  const asks = { content: filled ?? content, question, rule: capabilities.window };
  const window = await checkWindow(parts.client, connector, destination, asks, view, problems);
  if (destination.optedOut) problems.push(new PatchbayError('opted-out', 'the contact asked not to be written to on this channel'));
  if (connector.category === 'email' && !channel.sandbox) {
    const { workspaceId, channelId, contactId } = destination.conversation;
    const loop = await loopProblem(parts.client, { workspaceId, channelId, contactId });
    if (loop) problems.push(loop);
  }
  const estimate = connector.estimate?.(content, view);
  return { content, changes: fitted.changes, problems, window, ...(estimate ? { estimate } : {}) };
}

/** The template that would be sent, also where it is written in the provider's own shape. */
function templateIn(connector: Connector, content: Content): TemplateContent | undefined {
  const read = content.type === 'native' ? connector.readNative?.(content.payload) : content;
  return read?.type === 'template' ? read : undefined;
}

/** A payload in the provider's own shape stays as it is, and shows what the customer reads. */
function withTemplate(content: Content, filled: TemplateContent | undefined): Content {
  if (!filled) return content;
  if (content.type !== 'native') return filled;
  return { ...content, text: filled.preview || filled.name };
}

/** Limits are checked against what is known of the stored files, whatever the caller said about them. */
async function withFileFacts(client: Client, workspaceId: string, content: Content): Promise<Content> {
  const ids = mediaOf(content).flatMap((media) => (media.id ? [media.id] : []));
  if (ids.length === 0) return content;
  const files = new Map((await getManyMedia(client, workspaceId, ids)).map((file) => [file.id, file]));
  const copy = structuredClone(content);
  for (const media of mediaOf(copy)) {
    const file = media.id ? files.get(media.id) : undefined;
    if (!media.id) continue;
    if (!file) throw new PatchbayError('not-found', `file ${media.id} not found`);
    if (file.mimeType) media.mimeType = file.mimeType;
    if (file.size !== null) media.size = file.size;
    if (file.filename && !media.filename) media.filename = file.filename;
  }
  return copy;
}

function adapted(
  connector: Connector,
  view: ReturnType<Channels['view']>,
  capabilities: Capabilities,
  content: Content,
  question: Question,
  parts: ExamineParts,
  problems: PatchbayError[],
): { content: Content; changes: string[] } {
  const check = (candidate: Content) => connector.check?.(candidate, view) ?? [];
  const broken = problemsOf(content, capabilities, { check });
  if (broken.length === 0) return { content, changes: [] };
  if (question.degrade === 'degrade') {
    const mediaUrl = (media: { id?: string; url?: string }) => (media.id ? parts.mediaUrl(question.workspaceId, media.id) : media.url);
    const result = degrade(content, capabilities, { mediaUrl, check });
    if (result.outcome === 'degraded') return { content: result.content, changes: result.changes };
  }
  const carried = !broken[0]!.startsWith('this channel cannot carry');
  problems.push(
    new PatchbayError(
      carried ? 'invalid' : 'not-supported',
      carried ? broken[0]! : `${connector.title} does not carry ${content.type} messages`,
      {
        problems: broken.map((message) => ({ field: carried ? 'body' : 'body.type', message })),
      },
    ),
  );
  return { content, changes: [] };
}

/** Compares the values with the stored template, and keeps what the customer is going to read. */
async function fillTemplate(
  parts: ExamineParts,
  connector: Connector,
  destination: Destination,
  content: TemplateContent,
  problems: PatchbayError[],
): Promise<TemplateContent> {
  const operations = connector.templates!;
  const { channel } = destination;
  const account = operations.account(parts.channels.view(channel));
  const load = () => templatesOfAccount(parts.client, channel.workspaceId, channel.source, account);
  let known = await load();
  if (known.length === 0 && parts.syncTemplates) {
    await parts.syncTemplates(destination);
    known = await load();
  }
  // Of an account that shows no templates (it may not be asked) the provider judges.
  if (known.length === 0) return content;
  const template = known.find((row) => isMeant(row, content));
  if (!template || template.status === 'DELETED') {
    const languages = known.filter((row) => row.name === content.name && row.status !== 'DELETED').map((row) => row.language);
    const hint = languages.length > 0 ? `it exists in ${languages.join(', ')}` : 'sync the templates if it was made just now';
    const what = content.name ? `${content.name} (${content.language})` : content.providerRef;
    const gone = template ? 'no longer exists at the provider' : `is not a template of ${channel.name}: ${hint}`;
    const message = `${what} ${gone}`;
    problems.push(new PatchbayError('invalid', message, { problems: [{ field: 'body.template', message }] }));
    return content;
  }
  const { problems: wrong, text } = operations.render(templateShape(template), content);
  if (wrong.length > 0) {
    problems.push(new PatchbayError('invalid', wrong[0]!, { problems: wrong.map((message) => ({ field: 'body.template', message })) }));
  }
  return { ...content, preview: text, ...(template.providerRef ? { providerRef: template.providerRef } : {}) };
}

function isMeant(row: ProviderTemplateRow, content: TemplateContent): boolean {
  if (content.providerRef && row.providerRef === content.providerRef) return true;
  return row.name === content.name && row.language === content.language;
}

/** Free messages only inside the window; a template at any time; a person's tag inside the longer one. */
async function checkWindow(
  client: Client,
  connector: Connector,
  { channel, conversation }: Destination,
  { content, question, rule }: { content: Content; question: Question; rule: WindowRule | null },
  view: ReturnType<Channels['view']>,
  problems: PatchbayError[],
): Promise<Examination['window']> {
  if (question.tag !== undefined && question.tag !== rule?.extended?.tag) {
    const message = rule?.extended ? `${connector.title} takes the tag ${rule.extended.tag} only` : `${connector.title} takes no tag`;
    problems.push(new PatchbayError('invalid', message, { problems: [{ field: 'tag', message }] }));
  }
  if (!rule) return null;
  const at = (question.sendAt ?? new Date()).getTime();
  const expiresAt = conversation.windowExpiresAt;
  const open = expiresAt !== null && expiresAt.getTime() > at;
  const extended = rule.extended;
  const tagged = extended && conversation.lastInboundAt && conversation.lastInboundAt.getTime() + extended.hours * 3_600_000 > at;
  const window = { open, expiresAt, ...(!open && tagged ? { tag: extended.tag } : {}) };
  if (open || content.type === 'template' || (tagged && question.tag === extended.tag)) return window;
  if (question.ignoreWindow && channel.sandbox) return window;
  const templates = connector.templates
    ? (await templatesOfAccount(client, channel.workspaceId, channel.source, connector.templates.account(view)))
        .filter((row) => row.status.toUpperCase() === 'APPROVED')
        .map(({ name, language }) => ({ name, language }))
    : [];
  const iso = expiresAt?.toISOString() ?? null;
  const instead = connector.templates
    ? 'send an approved template'
    : tagged
      ? `a person may still answer with the tag ${extended.tag}`
      : 'wait until the contact writes again';
  problems.push(
    new PatchbayError(
      'window-closed',
      iso
        ? `the service window of ${channel.name} closed at ${iso}; ${instead}`
        : `the contact has not written to ${channel.name} yet; ${instead}`,
      { details: { serviceWindowExpireAt: iso, ...(connector.templates ? { templates } : {}), ...(tagged ? { tag: extended.tag } : {}) } },
    ),
  );
  return window;
}
