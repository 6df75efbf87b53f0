'use client';
import { call } from '@ballast/ui/api/problem';
import { Card } from '@ballast/ui/card';
import { Field } from '@ballast/ui/field';
import { text } from '@ballast/ui/form/rules';
import { FormProblem, SubmitButton } from '@ballast/ui/form/submit';
import { useForm } from '@ballast/ui/form/use-form';
import { Input, Textarea } from '@ballast/ui/input';
import { Status, StatusRegion } from '@ballast/ui/status';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { support } from '../api.ts';

export function RequestForm() {
  const t = useTranslations('support.form');
  const router = useRouter();
  const [sent, setSent] = useState(false);
  const { form, errors, problem, pending } = useForm({
    fields: { subject: text(120), body: text(5000) },
    submit: ({ subject, body }) => {
      setSent(false);
      return call(() => support.requests.$post({ json: { subject: subject.trim(), body: body.trim() } }));
    },
    onDone: ({ form }) => {
      setSent(true);
      form.reset();
      router.refresh();
    },
  });
  return (
    <section aria-labelledby="new-request">
      <Card>
        <h2 id="new-request" className="border-b px-5 py-3.5 font-semibold">
          {t('title')}
        </h2>
        <form {...form} className="grid gap-5 p-5">
          <Field name="subject" label={t('subject')} error={errors.subject}>
            {(control) => <Input {...control} maxLength={120} autoComplete="off" />}
          </Field>
          <Field name="body" label={t('body')} hint={t('bodyHint')} error={errors.body}>
            {(control) => <Textarea {...control} maxLength={5000} rows={6} />}
          </Field>
          <FormProblem problem={problem} />
          <StatusRegion>{sent ? <Status tone="success" message={t('sent')} /> : null}</StatusRegion>
          <SubmitButton pending={pending} className="justify-self-start">
            {t('send')}
          </SubmitButton>
        </form>
      </Card>
    </section>
  );
}
