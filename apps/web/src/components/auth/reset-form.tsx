'use client';
import { call } from '@ballast/ui/api/problem';
import { buttonClass } from '@ballast/ui/button';
import { Field } from '@ballast/ui/field';
import { newPassword } from '@ballast/ui/form/rules';
import { FormProblem, SubmitButton } from '@ballast/ui/form/submit';
import { leaving, useForm } from '@ballast/ui/form/use-form';
import { PasswordInput } from '@ballast/ui/password-input';
import Link from 'next/link';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { accounts } from '../../api/accounts.ts';
import { Heading } from './heading.tsx';

type Dead = 'expired' | 'used' | 'invalid';

export function ResetForm({ token }: { token: string | null }) {
  const t = useTranslations('auth');
  const [dead, setDead] = useState<Dead | null>(token ? null : 'invalid');
  const { form, errors, problem, pending } = useForm({
    fields: { password: newPassword },
    submit: ({ password }) => call(() => accounts['reset-password'].$post({ json: { token: token ?? '', password } })),
    onDone: () => leaving(() => location.replace('/sign-in?because=reset')),
    onProblem: ({ code }) => {
      const known = /^accounts\.link_(expired|used|invalid)$/.exec(code)?.[1];
      if (known) setDead(known as Dead);
      return known !== undefined;
    },
  });
  if (dead) {
    return (
      <>
        <Heading key={dead} title={t(`reset.${dead}`)} focus>
          <p>{t('reset.text')}</p>
        </Heading>
        <Link href="/forgot" className={buttonClass()}>
          {t('reset.again')}
        </Link>
      </>
    );
  }
  return (
    <>
      <Heading key="form" title={t('reset.title')}>
        <p>{t('reset.lead')}</p>
      </Heading>
      <form {...form} className="grid gap-5">
        <Field name="password" label={t('newPassword')} hint={t('passwordHint')} error={errors.password}>
          {(control) => <PasswordInput {...control} autoComplete="new-password" />}
        </Field>
        <FormProblem problem={problem} />
        <SubmitButton pending={pending} className="w-full">
          {t('reset.submit')}
        </SubmitButton>
      </form>
    </>
  );
}
