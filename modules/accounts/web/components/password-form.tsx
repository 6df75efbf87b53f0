'use client';
import { call } from '@ballast/ui/api/problem';
import { Field } from '@ballast/ui/field';
import { currentPassword, newPassword } from '@ballast/ui/form/rules';
import { useForm } from '@ballast/ui/form/use-form';
import { PasswordInput } from '@ballast/ui/password-input';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { accounts } from '../api.ts';
import { FormBody } from './form-body.tsx';

export function PasswordForm({ email }: { email: string }) {
  const t = useTranslations('accounts.settings.password');
  const router = useRouter();
  const [done, setDone] = useState<string | null>(null);
  const { form, errors, problem, pending } = useForm({
    fields: { currentPassword, newPassword },
    submit: (json) => {
      setDone(null);
      return call(() => accounts.password.$post({ json }));
    },
    onDone: ({ form }) => {
      setDone(t('saved'));
      form.reset();
      router.refresh();
    },
    problemFields: { 'accounts.wrong_credentials': { field: 'currentPassword', message: t('wrongPassword') } },
  });
  return (
    <form {...form}>
      {/* So that password managers know whose password changes. */}
      <input type="text" name="username" autoComplete="username" defaultValue={email} hidden readOnly />
      <FormBody problem={problem} done={done} pending={pending} submit={t('save')}>
        <Field form="password" name="currentPassword" label={t('current')} error={errors.currentPassword}>
          {(control) => <PasswordInput {...control} autoComplete="current-password" />}
        </Field>
        <Field form="password" name="newPassword" label={t('new')} hint={t('newHint')} error={errors.newPassword}>
          {(control) => <PasswordInput {...control} autoComplete="new-password" />}
        </Field>
      </FormBody>
    </form>
  );
}
