'use client';
import { call } from '@ballast/ui/api/problem';
import { Badge } from '@ballast/ui/badge';
import { Field } from '@ballast/ui/field';
import { currentPassword, email as emailRule } from '@ballast/ui/form/rules';
import { useForm } from '@ballast/ui/form/use-form';
import { Input } from '@ballast/ui/input';
import { PasswordInput } from '@ballast/ui/password-input';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { accounts } from '../api.ts';
import { FormBody } from './form-body.tsx';

export function EmailForm({ email, verified }: { email: string; verified: boolean }) {
  const t = useTranslations('accounts.settings.email');
  const [done, setDone] = useState<string | null>(null);
  const { form, errors, problem, pending } = useForm({
    fields: { email: emailRule, password: currentPassword },
    submit: ({ email, password }) => {
      setDone(null);
      return call(() => accounts.email.$post({ json: { email: email.trim(), password } }));
    },
    onDone: ({ values, form }) => {
      setDone(t('sent', { email: values.email.trim() }));
      form.reset();
    },
    problemFields: {
      'accounts.wrong_credentials': { field: 'password', message: t('wrongPassword') },
      'accounts.email_unchanged': { field: 'email' },
    },
  });
  return (
    <form {...form}>
      <FormBody problem={problem} done={done} pending={pending} submit={t('save')}>
        <div className="grid gap-1 text-sm">
          <p className="font-medium">{t('current')}</p>
          <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="min-w-0 break-words text-base">{email}</span>
            {verified ? <Badge tone="success">{t('verified')}</Badge> : null}
          </p>
        </div>
        <Field form="email" name="email" label={t('new')} error={errors.email}>
          {(control) => (
            <Input
              {...control}
              type="email"
              autoComplete="email"
              inputMode="email"
              spellCheck={false}
              maxLength={254}
            />
          )}
        </Field>
        <Field form="email" name="password" label={t('password')} hint={t('passwordHint')} error={errors.password}>
          {(control) => <PasswordInput {...control} autoComplete="current-password" />}
        </Field>
      </FormBody>
    </form>
  );
}
