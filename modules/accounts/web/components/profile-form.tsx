'use client';
import { call } from '@ballast/ui/api/problem';
import { Field } from '@ballast/ui/field';
import { text } from '@ballast/ui/form/rules';
import { useForm } from '@ballast/ui/form/use-form';
import { Input } from '@ballast/ui/input';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { accounts } from '../api.ts';
import { FormBody } from './form-body.tsx';

export function ProfileForm({ name }: { name: string }) {
  const t = useTranslations('accounts.settings.profile');
  const router = useRouter();
  const [done, setDone] = useState<string | null>(null);
  const { form, errors, problem, pending } = useForm({
    fields: { name: text(100) },
    submit: ({ name }) => {
      setDone(null);
      return call(() => accounts.me.$patch({ json: { name: name.trim() } }));
    },
    onDone: () => {
      setDone(t('saved'));
      router.refresh();
    },
  });
  return (
    <form {...form}>
      <FormBody problem={problem} done={done} pending={pending} submit={t('save')}>
        <Field form="profile" name="name" label={t('name')} error={errors.name}>
          {(control) => <Input {...control} autoComplete="name" maxLength={100} defaultValue={name} />}
        </Field>
      </FormBody>
    </form>
  );
}
