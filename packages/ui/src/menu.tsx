'use client';
import { Menu as Base } from '@base-ui/react/menu';
import { Check } from 'lucide-react';
import { type ComponentProps, type ReactElement, type ReactNode, useEffect, useRef } from 'react';

const itemLook =
  'flex min-h-8 w-full select-none items-center gap-2.5 rounded-sm px-2 py-1.5 text-sm outline-none ' +
  'data-[highlighted]:bg-hover [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-faint';

interface MenuProps {
  /** The button it opens from. */
  trigger: ReactElement;
  /** Opens when it is first shown: for a list that was loaded because its button was used. */
  openAtOnce?: boolean;
  side?: 'top' | 'bottom';
  children: ReactNode;
}

/** A button's list of choices: arrow keys, first letters, Escape. */
export function Menu({ trigger, openAtOnce = false, side = 'top', children }: MenuProps) {
  const button = useRef<HTMLButtonElement>(null);
  const opened = useRef(false);
  useEffect(() => {
    if (!openAtOnce || opened.current) return;
    opened.current = true;
    // A press, and not just a state: it is also what moves the focus into the list.
    button.current?.click();
  }, [openAtOnce]);
  return (
    <Base.Root modal={false}>
      <Base.Trigger ref={button} render={trigger} />
      <Base.Portal>
        <Base.Positioner side={side} align="start" sideOffset={6} className="z-50 outline-none">
          <Base.Popup className="min-w-56 origin-(--transform-origin) rounded-lg border bg-raised p-1 shadow-float outline-none transition-[opacity,scale] duration-100 data-[ending-style]:scale-97 data-[starting-style]:scale-97 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

export function MenuItem(props: Omit<ComponentProps<typeof Base.Item>, 'className'>) {
  return <Base.Item {...props} className={itemLook} />;
}

export function MenuSeparator() {
  return <Base.Separator className="-mx-1 my-1 h-px bg-line" />;
}

/** One of several; the chosen one is marked. */
export function MenuChoice<Value extends string>({
  label,
  value,
  onChange,
  choices,
}: {
  label: string;
  value: Value;
  onChange: (value: Value) => void;
  choices: readonly { value: Value; label: string; icon?: ReactNode }[];
}) {
  return (
    <Base.Group>
      <Base.GroupLabel className="px-2 pt-1.5 pb-1 text-faint text-xs">{label}</Base.GroupLabel>
      <Base.RadioGroup value={value} onValueChange={onChange}>
        {choices.map((choice) => (
          <Base.RadioItem key={choice.value} value={choice.value} className={itemLook}>
            {choice.icon}
            <span className="flex-1">{choice.label}</span>
            <Base.RadioItemIndicator>
              <Check aria-hidden="true" />
            </Base.RadioItemIndicator>
          </Base.RadioItem>
        ))}
      </Base.RadioGroup>
    </Base.Group>
  );
}
