/**
 * The icons that a menu entry may name, by their names at https://lucide.dev/icons: those that the web app
 * brings along. One more is a line here, and one in its `menu-icon.tsx`, which does not compile without.
 */
export const menuIcons = [
  'bell',
  'building-2',
  'chart-line',
  'credit-card',
  'file-text',
  'globe',
  'inbox',
  'key-round',
  'layout-dashboard',
  'life-buoy',
  'settings',
  'users',
  'webhook',
] as const;

export type MenuIcon = (typeof menuIcons)[number];
