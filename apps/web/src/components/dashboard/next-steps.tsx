import type { MenuIcon as IconName } from '@ballast/kernel';
import { ChevronRight } from 'lucide-react';
import Link from 'next/link';
import { getMessages, getTranslations } from 'next-intl/server';
import { menu } from '../../generated/modules.ts';
import { MenuIcon } from '../shell/menu-icon.tsx';
import { Panel } from './panel.tsx';

interface Step {
  href: string;
  icon: IconName;
  title: string;
  text: string;
}

/** What a newcomer can do; an active module adds its page by having `start` in its messages. */
export async function NextSteps() {
  const [t, messages] = await Promise.all([getTranslations('dashboard.steps'), getMessages()]);
  const byModule = new Map<string, { start?: Pick<Step, 'title' | 'text'> }>(Object.entries(messages as object));
  const ofModules = menu.flatMap(({ module, href, icon }): Step[] => {
    const own = byModule.get(module);
    return own?.start ? [{ href, icon, ...own.start }] : [];
  });
  const steps: Step[] = [
    { href: '/settings#profile', icon: 'settings', title: t('profile.title'), text: t('profile.text') },
    { href: '/settings#sessions', icon: 'key-round', title: t('sessions.title'), text: t('sessions.text') },
    ...ofModules,
  ];
  return (
    <Panel id="steps" title={t('title')}>
      <ul className="divide-y">
        {steps.map((step) => (
          <li key={step.href}>
            <Link
              href={step.href}
              className="group flex items-center gap-4 px-5 py-4 transition-colors duration-150 hover:bg-hover/60"
            >
              <span className="grid size-9 shrink-0 place-items-center rounded-md border bg-deep text-primary">
                <MenuIcon name={step.icon} />
              </span>
              <span className="grid min-w-0 flex-1">
                <span className="font-medium">{step.title}</span>
                <span className="text-muted text-sm">{step.text}</span>
              </span>
              <ChevronRight
                aria-hidden="true"
                className="size-4 shrink-0 text-faint transition-transform duration-150 group-hover:translate-x-0.5"
              />
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
