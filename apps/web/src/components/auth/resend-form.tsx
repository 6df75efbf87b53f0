'use client';
import { call } from '@ballast/ui/api/problem';
import { email } from '@ballast/ui/form/rules';
import { FormProblem, SubmitButton } from '@ballast/ui/form/submit';
import { useForm } from '@ballast/ui/form/use-form';
import { Status, StatusRegion } from '@ballast/ui/status';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { accounts } from '../../api/accounts.ts';
import { EmailField } from './email-field.tsx';

/** Asks for another confirmation link. Without a known address, for the address too. */
export function ResendForm({ known, label, done }: { known?: string | null; label: string; done: string }) {
  const t = useTranslations('auth');
  const [sent, setSent] = useState(false);
  const { form, errors, problem, pending } = useForm({
    fields: { email },
    submit: ({ email }) => {
      setSent(false);
      return call(() => accounts['resend-verification'].$post({ json: { email: email.trim() } }));
    },
    onDone: () => setSent(true),
  });
  return (
    <form {...form} className="grid gap-5" aria-label={t('checkInbox.resend')}>
      {typeof known === 'string' ? (
        <input type="hidden" name="email" value={known} />
      ) : (
        <EmailField error={errors.email} />
      )}
      <FormProblem problem={problem} />
      <StatusRegion>{sent ? <Status tone="success" message={done} /> : null}</StatusRegion>
      <SubmitButton variant={typeof known === 'string' ? 'secondary' : 'primary'} pending={pending} className="w-full">
        {label}
      </SubmitButton>
    </form>
  );
}
