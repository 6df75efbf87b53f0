'use client';
import { Field } from '@ballast/ui/field';
import { Input } from '@ballast/ui/input';
import { useTranslations } from 'next-intl';

/** The address that identifies an account, as password managers know it. */
export function EmailField({ error }: { error: string | undefined }) {
  const t = useTranslations('auth');
  return (
    <Field name="email" label={t('email')} error={error}>
      {(control) => (
        <Input
          {...control}
          type="email"
          autoComplete="username"
          inputMode="email"
          spellCheck={false}
          autoCapitalize="none"
          maxLength={254}
        />
      )}
    </Field>
  );
}
