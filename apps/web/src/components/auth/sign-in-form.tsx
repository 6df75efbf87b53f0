'use client';
import { call } from '@ballast/ui/api/problem';
import { Field } from '@ballast/ui/field';
import { currentPassword, email } from '@ballast/ui/form/rules';
import { FormProblem, SubmitButton } from '@ballast/ui/form/submit';
import { leaving, useForm } from '@ballast/ui/form/use-form';
import { PasswordInput } from '@ballast/ui/password-input';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { accounts } from '../../api/accounts.ts';
import { EmailField } from './email-field.tsx';
import { textLink } from './links.tsx';
import { pendingEmail } from './pending-email.ts';

/** `next` was checked by the page. Who signs in gets a whole new page: nothing of before stays in memory. */
export function SignInForm({ next }: { next: string }) {
  const t = useTranslations('auth');
  const router = useRouter();
  const { form, errors, problem, pending } = useForm({
    fields: { email, password: currentPassword },
    submit: ({ email, password }) => call(() => accounts['sign-in'].$post({ json: { email: email.trim(), password } })),
    onDone: () => leaving(() => location.assign(next)),
    onProblem: (refused, values) => {
      if (refused.code !== 'accounts.email_not_verified') return false;
      pendingEmail.remember(values.email.trim());
      return leaving(() => router.push('/check-inbox?why=unverified'));
    },
  });
  return (
    <form {...form} className="grid gap-5">
      <EmailField error={errors.email} />
      <Field
        name="password"
        label={t('password')}
        error={errors.password}
        aside={
          <Link href="/forgot" className={`${textLink} text-sm`}>
            {t('signIn.forgot')}
          </Link>
        }
      >
        {(control) => <PasswordInput {...control} autoComplete="current-password" />}
      </Field>
      <FormProblem problem={problem} />
      <SubmitButton pending={pending} className="w-full">
        {t('signIn.submit')}
      </SubmitButton>
    </form>
  );
}
