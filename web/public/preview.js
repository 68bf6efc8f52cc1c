// Draws the widget with the configuration that the settings page hands over, without a server behind it.
let drawn = false;
let known = {};

/** A key that was taken out of the form is named as undefined, so that the widget goes back to its own default. */
function configure(config) {
  const cleared = Object.fromEntries(Object.keys(known).map((key) => [key, undefined]));
  known = config;
  const next = { ...cleared, ...config, showMode: true };
  if (!drawn) {
    drawn = true;
    window.airy = { channelId: 'preview', host: location.origin, config: next };
    const script = document.createElement('script');
    script.src = '/widget.js';
    document.head.append(script);
  } else window.patchbay?.configure?.(next);
}

addEventListener('message', (event) => {
  if (event.origin === location.origin && event.source === parent) configure(event.data);
});
parent.postMessage('ready', location.origin);
