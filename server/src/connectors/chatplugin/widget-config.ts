import Type from 'typebox';

const color = (title: string) => Type.Optional(Type.String({ title, pattern: '^#[0-9a-fA-F]{3,8}$', format: 'color' }));
const text = (title: string) => Type.Optional(Type.String({ title, maxLength: 500 }));
const flag = (title: string) => Type.Optional(Type.Boolean({ title }));

/** How the widget looks and what it says (the keys of airy.md 6.3, and a few of ours). */
export const WidgetConfig = Type.Object(
  {
    headerText: text('Header'),
    subtitleText: text('Subtitle'),
    welcomeMessage: text('Welcome message'),
    startNewConversationText: text('Start a new conversation'),
    primaryColor: color('Primary colour'),
    accentColor: color('Accent colour'),
    backgroundColor: color('Background'),
    headerTextColor: color('Header text'),
    subtitleTextColor: color('Subtitle text'),
    inboundMessageColor: color('Their messages'),
    inboundMessageTextColor: color('Text of their messages'),
    outboundMessageColor: color("The visitor's messages"),
    outboundMessageTextColor: color("Text of the visitor's messages"),
    unreadMessageDotColor: color('Unread mark'),
    bubbleIcon: Type.Optional(Type.String({ title: 'Bubble icon (address of an image)', maxLength: 2000 })),
    sendMessageIcon: Type.Optional(Type.String({ title: 'Send icon (address of an image)', maxLength: 2000 })),
    height: Type.Optional(Type.Union([Type.String(), Type.Number()], { title: 'Height in pixels' })),
    width: Type.Optional(Type.Union([Type.String(), Type.Number()], { title: 'Width in pixels' })),
    position: Type.Optional(Type.Union([Type.Literal('right'), Type.Literal('left')], { title: 'Side of the page' })),
    theme: Type.Optional(Type.Union([Type.Literal('auto'), Type.Literal('light'), Type.Literal('dark')], { title: 'Light or dark' })),
    language: Type.Optional(
      Type.String({ title: 'Language', maxLength: 10, description: 'Empty: the language of the page or the browser.' }),
    ),
    bubbleState: Type.Optional(Type.Union([Type.Literal('expanded'), Type.Literal('minimized')], { title: 'Opens as' })),
    closeMode: Type.Optional(Type.Union([Type.Literal('basic'), Type.Literal('medium'), Type.Literal('full')], { title: 'Closing' })),
    showMode: flag('Show mode'),
    disableMobile: flag('Hide on phones'),
    hideInputBar: flag('Hide the input bar'),
    hideEmojis: flag('Hide emojis'),
    hideAttachments: flag('Hide attachments'),
    hideImages: flag('No images'),
    hideVideos: flag('No videos'),
    hideFiles: flag('No files'),
    useCustomFont: flag('Use a font of your own'),
    customFont: text('Font'),
  },
  { title: 'Look and texts', additionalProperties: true },
);
