import { cx } from '@ballast/ui/cx';

const SECTIONS = 7;
const WATERLINE = 214;

/** One half-section of the hull: fuller amidships, finer towards the ends, as a shipwright draws it. */
function section(side: 1 | -1, step: number): string {
  const fine = step / (SECTIONS - 1);
  const beam = 236 - (side === 1 ? 132 : 108) * fine ** 1.6;
  const bilge = 1 - 0.62 * fine;
  const keel = 398;
  const deck = 62 - 26 * fine;
  const x = (value: number) => (320 + side * value).toFixed(1);
  return `M${x(4)} ${keel}C${x(beam * 0.78 * bilge)} ${keel - 6 * fine} ${x(beam * (0.97 - 0.3 * fine))} ${(330 - 40 * (1 - bilge)).toFixed(1)} ${x(beam * (1 - 0.06 * fine))} ${WATERLINE}S${x(beam)} ${deck + 50} ${x(beam)} ${deck}`;
}

const sections = Array.from({ length: SECTIONS }, (_, step) => step);

/** A body plan: the hull in cross-sections, with its ballast in red lead below the waterline. */
export function BodyPlan({ label, className }: { label: string; className?: string }) {
  return (
    <svg viewBox="0 0 640 460" fill="none" className={cx('h-auto w-full', className)} role="img">
      <title>{label}</title>
      <clipPath id="below">
        <path d={`${section(1, 0)}L320 40V398Z`} />
        <path d={`${section(-1, 0)}L320 40V398Z`} />
      </clipPath>
      <g clipPath="url(#below)">
        <rect x="60" y="318" width="520" height="90" className="fill-lead" />
      </g>
      {[102, 158, 270, 326].map((y) => (
        <path key={y} d={`M64 ${y}H576`} stroke="currentColor" strokeWidth="1" strokeDasharray="2 7" opacity="0.35" />
      ))}
      {sections.map((step) => (
        <g key={step} stroke="currentColor" strokeWidth={step === 0 ? 2 : 1.1} opacity={step === 0 ? 1 : 0.62}>
          <path d={section(1, step)} />
          <path d={section(-1, step)} />
        </g>
      ))}
      <path d="M320 30V432" stroke="currentColor" strokeWidth="1" opacity="0.5" />
      <path d="M316 398h8v26h-8z" fill="currentColor" />
      <path d={`M0 ${WATERLINE}H640`} className="stroke-lead" strokeWidth="1.5" />
      <g className="stroke-lead" strokeWidth="2.5">
        <circle cx="610" cy={WATERLINE} r="11" fill="none" />
        <path d={`M590 ${WATERLINE}H630`} />
      </g>
    </svg>
  );
}
