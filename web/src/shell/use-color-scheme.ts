import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';

/** The other colours, what choosing them is called, and the switch. */
export function useColorScheme() {
  const { setColorScheme } = useMantineColorScheme();
  const next: 'light' | 'dark' = useComputedColorScheme('light') === 'dark' ? 'light' : 'dark';
  return { next, label: `Use the ${next} colours`, toggle: () => setColorScheme(next) };
}
