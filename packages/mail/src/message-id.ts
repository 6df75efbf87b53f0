import { AppError } from '@ballast/kernel';

/**
 * The Message-ID of the mail that a job sends: the same for each repeat of the job.
 *
 * @param domain the sender's, such as `new URL(publicUrl).hostname`
 */
export function messageIdOf(jobId: string, domain: string): string {
  const id = `<${jobId}@${domain}>`;
  if (!/^<[\w.~+-]+@[\w.-]+>$/.test(id)) {
    throw new AppError('mail.refused', {
      public: 'This e-mail could not be sent.',
      internal: `'${jobId}' and '${domain}' make no valid Message-ID`,
      retryable: false,
    });
  }
  return id;
}
