'use client';
import { useTranslations } from 'next-intl';
import { type FormEvent, useRef, useState } from 'react';
import { isSignedOut, type Problem, type Result } from '../api/problem.ts';
import { problemMessage, type Translate } from '../api/problem-message.ts';
import type { Rule } from './rules.ts';

interface Options<Name extends string, Data> {
  fields: Record<Name, Rule>;
  submit: (values: Record<Name, string>) => Promise<Result<Data>>;
  /** Return a promise that never settles (`leaving()`) when the page is being left, so that the button stays busy. */
  onDone: (done: { data: Data; values: Record<Name, string>; form: HTMLFormElement }) => void | Promise<void>;
  /** Handles a problem in another way than showing it; true when it did. */
  onProblem?: (problem: Problem, values: Record<Name, string>) => boolean | Promise<boolean>;
  /** Problems that belong to one field, by code, and what to say there if not the catalogue's sentence. */
  problemFields?: Record<string, { field: NoInfer<Name>; message?: string }>;
}

/**
 * One form: checks its fields, sends once however often it is submitted, puts what the API refused
 * beside the field it names, and moves the focus to the first mistake.
 */
export function useForm<Name extends string, Data>({
  fields,
  submit,
  onDone,
  onProblem,
  problemFields,
}: Options<Name, Data>) {
  const t = useTranslations() as unknown as Translate;
  const busy = useRef(false);
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [errors, setErrors] = useState<Partial<Record<Name, string>>>({});
  const names = Object.keys(fields) as Name[];

  function check(name: Name, value: string): string | undefined {
    const wrong = fields[name](value);
    return wrong ? t(`ui.rules.${wrong}`) : undefined;
  }

  function showErrors(form: HTMLFormElement, found: Partial<Record<Name, string>>) {
    setErrors(found);
    const first = names.find((name) => found[name]);
    const control = first && form.elements.namedItem(first);
    if (control instanceof HTMLElement) control.focus();
  }

  async function send(form: HTMLFormElement) {
    const data = new FormData(form);
    const values = Object.fromEntries(names.map((name) => [name, String(data.get(name) ?? '')])) as Record<
      Name,
      string
    >;
    setProblem(null);
    const found = Object.fromEntries(
      names.flatMap((name) => [[name, check(name, values[name])]].filter(([, wrong]) => wrong)),
    );
    showErrors(form, found as Partial<Record<Name, string>>);
    if (Object.keys(found).length > 0) return;

    setPending(true);
    const result = await submit(values);
    if (result.ok) return onDone({ data: result.data, values, form });
    if (await onProblem?.(result.problem, values)) return;
    if (isSignedOut(result.problem)) return signInAgain();

    const owner = problemFields?.[result.problem.code];
    if (owner) {
      const message = owner.message ?? problemMessage(t, result.problem);
      return showErrors(form, { [owner.field]: message } as Partial<Record<Name, string>>);
    }
    const refused = result.problem.fields.filter((field): field is { path: Name; message: string } =>
      names.includes(field.path as Name),
    );
    if (refused.length === 0) return setProblem(result.problem);
    showErrors(
      form,
      Object.fromEntries(refused.map((field) => [field.path, field.message])) as Partial<Record<Name, string>>,
    );
  }

  async function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy.current) return;
    busy.current = true;
    try {
      await send(event.currentTarget);
    } finally {
      busy.current = false;
      setPending(false);
    }
  }

  /** A mistake that was pointed out goes away as soon as it is mended; nobody is corrected while first typing. */
  function onInput(event: FormEvent<HTMLFormElement>) {
    const control = event.target as HTMLInputElement;
    const name = control.name as Name;
    if (errors[name] && !check(name, control.value)) setErrors({ ...errors, [name]: undefined });
  }

  return {
    /** `post` and `noValidate`: a submit before hydration must not put a password into the address. */
    form: { onSubmit, onInput, noValidate: true, method: 'post' } as const,
    errors,
    problem,
    pending,
  };
}

/**
 * Never settles: the page is being left, and its form stays busy until it is gone. A page that the Back
 * button brings back as it was would still be busy, so it starts afresh.
 */
export function leaving(go: () => void): Promise<never> {
  addEventListener('pageshow', (event) => event.persisted && location.reload(), { once: true });
  go();
  return new Promise(() => {});
}

/** The session ended while this page was open: sign in, then come back here. */
function signInAgain(): Promise<never> {
  const here = location.pathname + location.search;
  return leaving(() => location.assign(`/sign-in?next=${encodeURIComponent(here)}`));
}
