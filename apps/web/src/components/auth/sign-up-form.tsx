'use client';
import { call } from '@ballast/ui/api/problem';
import { Field } from '@ballast/ui/field';
import { email, newPassword, text } from '@ballast/ui/form/rules';
import { FormProblem, SubmitButton } from '@ballast/ui/form/submit';
import { leaving, useForm } from '@ballast/ui/form/use-form';
import { Input } from '@ballast/ui/input';
import { PasswordInput } from '@ballast/ui/password-input';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { accounts } from '../../api/accounts.ts';
import { EmailField } from './email-field.tsx';
import { pendingEmail } from './pending-email.ts';

export function SignUpForm() {
  const t = useTranslations('auth');
  const router = useRouter();
  const { form, errors, problem, pending } = useForm({
    fields: { name: text(100), email, password: newPassword },
    submit: async ({ name, email, password }) => {
      const address = email.trim();
      const result = await call(() =>
        accounts['sign-up'].$post({ json: { name: name.trim(), email: address, password } }),
      );
      if (result.ok) pendingEmail.remember(address);
      return result;
    },
    onDone: () => leaving(() => router.push('/check-inbox')),
  });
  return (
    <form {...form} className="grid gap-5">
      <Field name="name" label={t('name')} error={errors.name}>
        {(control) => <Input {...control} autoComplete="name" maxLength={100} />}
      </Field>
      <EmailField error={errors.email} />
      <Field name="password" label={t('password')} hint={t('passwordHint')} error={errors.password}>
        {(control) => <PasswordInput {...control} autoComplete="new-password" />}
      </Field>
      <FormProblem problem={problem} />
      <SubmitButton pending={pending} className="w-full">
        {t('signUp.submit')}
      </SubmitButton>
    </form>
  );
}
