/** What has to be entered by hand in Meta's app dashboard, shown with copy buttons. */
import type { ProviderConfig } from '../connector.ts';

export function webhookSetup(config: ProviderConfig, fields: string): { label: string; value: string; help?: string }[] {
  const token = config.get('META_VERIFY_TOKEN');
  return [
    {
      label: 'Callback URL',
      value: `${config.publicUrl.replace(/\/+$/, '')}/hooks/meta`,
      help: 'App dashboard → Webhooks → Edit subscription. Meta must reach it over https.',
    },
    {
      label: 'Verify token',
      value: token ?? '',
      help: token ? 'Enter it beside the callback URL.' : 'Set META_VERIFY_TOKEN to a word of your choice first, then enter the same here.',
    },
    { label: 'Webhook fields', value: fields, help: 'Subscribe to these.' },
  ];
}
