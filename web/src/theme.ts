import { createTheme, type MantineColorsTuple } from '@mantine/core';

/** The product's own blue: actions, links, what is chosen. Never a status. */
const patch: MantineColorsTuple = [
  '#eef2ff',
  '#dde4fc',
  '#b9c6f6',
  '#93a6f0',
  '#7088ea',
  '#5570e4',
  '#4563e0',
  '#3454d1',
  '#2b48b8',
  '#213a99',
];

/** Greys of the dark scheme: slightly blue, so that they sit well beside the blue above. */
const dark: MantineColorsTuple = [
  '#d3d7e0',
  '#b4bac7',
  '#8f97a8',
  '#6b7385',
  '#3c4354',
  '#2c3240',
  '#222733',
  '#191d27',
  '#12151d',
  '#0c0e14',
];

/** The tokens of design.md. */
export const theme = createTheme({
  primaryColor: 'patch',
  primaryShade: { light: 7, dark: 6 },
  colors: { patch, dark },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace",
  headings: { fontWeight: '650', sizes: { h1: { fontSize: '1.375rem' }, h2: { fontSize: '1.125rem' }, h3: { fontSize: '1rem' } } },
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  components: {
    Tooltip: { defaultProps: { openDelay: 400, withArrow: true } },
    Modal: { defaultProps: { centered: true, overlayProps: { blur: 2, backgroundOpacity: 0.4 } }, styles: { title: { fontWeight: 650 } } },
    Drawer: { styles: { title: { fontWeight: 650 } } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
  },
});
