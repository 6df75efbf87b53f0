/** How the product looks in a mailbox: the one place to change. E-mail clients know no CSS variables, hence plain values. */
export const brand = {
  name: 'Ballast',
  font: "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
  light: { page: '#f4f4f5', card: '#ffffff', line: '#e4e4e7', text: '#18181b', quiet: '#5f5f68', accent: '#1f4fd8' },
  dark: { page: '#101013', card: '#1a1a1f', line: '#2e2e35', text: '#f4f4f5', quiet: '#a1a1aa', accent: '#3d68e8' },
} as const;
