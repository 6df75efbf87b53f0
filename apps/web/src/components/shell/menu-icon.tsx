import type { MenuIcon as IconName } from '@ballast/kernel';
import {
  Bell,
  Building2,
  ChartLine,
  CreditCard,
  FileText,
  Globe,
  Inbox,
  KeyRound,
  LayoutDashboard,
  LifeBuoy,
  type LucideIcon,
  Settings,
  Users,
  Webhook,
} from 'lucide-react';

/** What a menu entry may name (`menuIcons` of the kernel). They render on the server, so that the list costs browsers nothing. */
const ICONS: Record<IconName, LucideIcon> = {
  bell: Bell,
  'building-2': Building2,
  'chart-line': ChartLine,
  'credit-card': CreditCard,
  'file-text': FileText,
  globe: Globe,
  inbox: Inbox,
  'key-round': KeyRound,
  'layout-dashboard': LayoutDashboard,
  'life-buoy': LifeBuoy,
  settings: Settings,
  users: Users,
  webhook: Webhook,
};

export function MenuIcon({ name }: { name: IconName }) {
  const Icon = ICONS[name];
  return <Icon aria-hidden="true" className="size-4 shrink-0" strokeWidth={1.75} />;
}
