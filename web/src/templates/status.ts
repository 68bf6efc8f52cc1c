/** What the providers' words for a template's state mean. */
type Tone = 'good' | 'warning' | 'bad' | 'neutral';

export function isApproved(status: string): boolean {
  return status.toUpperCase() === 'APPROVED';
}

export function statusTone(status: string): Tone {
  switch (status.toUpperCase()) {
    case 'APPROVED':
      return 'good';
    case 'REJECTED':
    case 'DISABLED':
      return 'bad';
    case 'DELETED':
    case 'UNSUBMITTED':
    case 'ARCHIVED':
      return 'neutral';
    default:
      return 'warning';
  }
}

/** Undefined where the provider has no verdict. */
export function qualityTone(quality: string): Tone | undefined {
  return ({ GREEN: 'good', YELLOW: 'warning', RED: 'bad' } as const)[quality.toUpperCase()];
}

/** `IN_APPEAL` → `In appeal`. */
export function wordsOf(status: string): string {
  const words = status.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
