'use client';
import { call } from '@ballast/ui/api/problem';
import { Card } from '@ballast/ui/card';
import { Field } from '@ballast/ui/field';
import { text } from '@ballast/ui/form/rules';
import { FormProblem, SubmitButton } from '@ballast/ui/form/submit';
import { useForm } from '@ballast/ui/form/use-form';
import { Input } from '@ballast/ui/input';
import { Status, StatusRegion } from '@ballast/ui/status';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { domains } from '../api.ts';

export function DomainForm() {
  const t = useTranslations('domains.form');
  const router = useRouter();
  const [added, setAdded] = useState<string | null>(null);
  const { form, errors, problem, pending } = useForm({
    fields: { name: text(300) },
    submit: ({ name }) => {
      setAdded(null);
      return call(() => domains.index.$post({ json: { name: name.trim() } }));
    },
    onDone: ({ data, form }) => {
      setAdded(data.name);
      form.reset();
      router.refresh();
    },
    problemFields: {
      'domains.not_a_domain': { field: 'name' },
      'domains.own_host': { field: 'name' },
      'domains.already_added': { field: 'name' },
    },
  });
  return (
    <section aria-labelledby="new-domain">
      <Card>
        <h2 id="new-domain" className="border-b px-5 py-3.5 font-semibold">
          {t('title')}
        </h2>
        <form {...form} className="grid gap-5 p-5">
          <Field name="name" label={t('name')} hint={t('nameHint')} error={errors.name}>
            {(control) => (
              <Input
                {...control}
                maxLength={300}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                inputMode="url"
              />
            )}
          </Field>
          <FormProblem problem={problem} />
          <StatusRegion>{added ? <Status tone="success" message={t('added', { name: added })} /> : null}</StatusRegion>
          <SubmitButton pending={pending} className="justify-self-start">
            {t('add')}
          </SubmitButton>
        </form>
      </Card>
    </section>
  );
}
