import { createTheme, type MantineColorsTuple } from '@mantine/core';

const blue: MantineColorsTuple = ['#eaf2ff', '#d3e2fb', '#a6c4f5', '#77a4ef', '#4f88ea', '#3676e7', '#2569d8', '#1a5ac0', '#134fac', '#054498'];

export const theme = createTheme({
  primaryColor: 'tandem',
  primaryShade: { light: 7, dark: 6 },
  colors: { tandem: blue },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  defaultRadius: 'md',
  cursorType: 'pointer',
  autoContrast: true,
  headings: { fontWeight: '650' },
});
