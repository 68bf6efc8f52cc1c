/** What a WhatsApp number can carry. developers.facebook.com/docs/whatsapp/cloud-api/reference/media and …/messages */
import type { Capabilities } from '../../../model/capabilities.ts';
import type { Content, TemplateContent } from '../../../model/content.ts';
import type { ChannelView, Pacing } from '../../connector.ts';
import { record, text } from '../values.ts';

const MB = 1024 * 1024;
const OFFICE = 'application/vnd.openxmlformats-officedocument';

export const capabilities: Capabilities = {
  text: { max: 4096 },
  media: {
    image: { maxBytes: 5 * MB, types: ['image/jpeg', 'image/png'], caption: 1024 },
    video: { maxBytes: 16 * MB, types: ['video/mp4', 'video/3gpp'], caption: 1024 },
    audio: { maxBytes: 16 * MB, types: ['audio/aac', 'audio/amr', 'audio/mpeg', 'audio/mp4', 'audio/ogg'], caption: 0 },
    file: {
      maxBytes: 100 * MB,
      types: [
        'text/plain',
        'application/pdf',
        'application/msword',
        'application/vnd.ms-excel',
        'application/vnd.ms-powerpoint',
        `${OFFICE}.wordprocessingml.document`,
        `${OFFICE}.spreadsheetml.sheet`,
        `${OFFICE}.presentationml.presentation`,
      ],
      caption: 1024,
    },
    sticker: { maxBytes: 500 * 1024, types: ['image/webp'], caption: 0 },
  },
  location: true,
  contacts: true,
  choices: { max: 3, title: 20, text: 1024, header: 60, footer: 60 },
  list: { rows: 10, sections: 10, title: 24, description: 72, button: 20, text: 4096 },
  templates: true,
  reactions: { in: true, out: true },
  receipts: { delivered: true, read: true },
  typing: { in: false, out: true },
  replies: true,
  edits: false,
  revokes: false,
  startsConversations: true,
  window: { hours: 24 },
  nodes: ['messaging', 'messaging.outgoing', 'messaging.outgoing.mms', 'messaging.incoming', 'messaging.incoming.mms'],
};

/** 80 messages a second for a number, 1,000 once Meta upgraded it, 20 where the phone's app shares it; 10 a minute to one person. */
export function pacing(channel: Pick<ChannelView, 'details'>): Pacing {
  const told = channel.details.throughput;
  const level = text(record(told)?.level) ?? text(told);
  const shared = channel.details.is_on_biz_app === true;
  return { perSecond: level === 'HIGH' ? 1000 : shared ? 20 : 80, perRecipient: { burst: 45, everyMs: 6000 } };
}

/** Limits that the capabilities cannot express, in plain words. */
export function check(content: Content): string[] {
  switch (content.type) {
    case 'choices':
      return [
        ...content.choices
          .filter(({ id }) => id.length > 256)
          .map(({ title }) => `The id of the button “${title}” is longer than 256 characters`),
        ...doubles(
          content.choices.map(({ title }) => title),
          'button title',
        ),
        ...doubles(
          content.choices.map(({ id }) => id),
          'button id',
        ),
        ...(content.header && content.media ? ['A message with buttons has a header text or a header file, not both'] : []),
      ];
    case 'list':
      return [
        ...content.sections.flatMap(({ rows }) =>
          rows.filter(({ id }) => id.length > 200).map(({ title }) => `The id of the row “${title}” is longer than 200 characters`),
        ),
        ...doubles(
          content.sections.flatMap(({ rows }) => rows.map(({ id }) => id)),
          'row id',
        ),
        ...(content.sections.length > 1 && content.sections.some(({ title }) => !title)
          ? ['With several sections each needs a title']
          : []),
        ...(content.sections.some(({ title }) => (title?.length ?? 0) > 24) ? ['A section title is longer than 24 characters'] : []),
        ...((content.header?.length ?? 0) > 60 ? ['The header is longer than 60 characters'] : []),
        ...((content.footer?.length ?? 0) > 60 ? ['The footer is longer than 60 characters'] : []),
      ];
    case 'contacts':
      return content.contacts.length === 0 ? ['There is no contact to send'] : [];
    case 'template':
      return templateProblems(content);
    default:
      return [];
  }
}

function templateProblems(content: TemplateContent): string[] {
  return [
    ...(/^[a-z0-9_]{1,512}$/.test(content.name) ? [] : [`“${content.name.slice(0, 80)}” is no template name: use a–z, 0–9 and _`]),
    ...(content.language ? [] : ['The template’s language is missing']),
  ];
}

function doubles(values: string[], what: string): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index).map((value) => `The ${what} “${value}” is used twice`);
}
