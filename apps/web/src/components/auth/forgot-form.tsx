'use client';
import { call } from '@ballast/ui/api/problem';
import { Button } from '@ballast/ui/button';
import { email } from '@ballast/ui/form/rules';
import { FormProblem, SubmitButton } from '@ballast/ui/form/submit';
import { useForm } from '@ballast/ui/form/use-form';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { accounts } from '../../api/accounts.ts';
import { EmailField } from './email-field.tsx';
import { Heading } from './heading.tsx';
import { SwitchLink } from './links.tsx';

export function ForgotForm() {
  const t = useTranslations('auth.forgot');
  const [step, setStep] = useState<'ask' | 'sent' | 'askAgain'>('ask');
  const { form, errors, problem, pending } = useForm({
    fields: { email },
    submit: ({ email }) => call(() => accounts['forgot-password'].$post({ json: { email: email.trim() } })),
    onDone: () => setStep('sent'),
  });
  if (step === 'sent') {
    return (
      <>
        <Heading key="sent" title={t('doneTitle')} focus>
          <p>{t('doneText')}</p>
        </Heading>
        <Button variant="secondary" onClick={() => setStep('askAgain')}>
          {t('again')}
        </Button>
        <SwitchLink label={t('back')} href="/sign-in" />
      </>
    );
  }
  return (
    <>
      <Heading key="ask" title={t('title')} focus={step === 'askAgain'}>
        <p>{t('lead')}</p>
      </Heading>
      <form {...form} className="grid gap-5">
        <EmailField error={errors.email} />
        <FormProblem problem={problem} />
        <SubmitButton pending={pending} className="w-full">
          {t('submit')}
        </SubmitButton>
      </form>
      <SwitchLink label={t('back')} href="/sign-in" />
    </>
  );
}
