import {
  Bell,
  Blocks,
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

/** The icons that a module's menu entry may name; these render on the server, so that the list costs browsers nothing. */
const ICONS: Record<string, LucideIcon> = {
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

export function MenuIcon({ name }: { name: string }) {
  const Icon = ICONS[name] ?? Blocks;
  return <Icon aria-hidden="true" className="size-4 shrink-0" strokeWidth={1.75} />;
}
