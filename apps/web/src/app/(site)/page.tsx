import { Features } from '../../components/site/features.tsx';
import { Hero } from '../../components/site/hero.tsx';
import { QuickStart } from '../../components/site/quick-start.tsx';
import { Story } from '../../components/site/story.tsx';

export default function LandingPage() {
  return (
    <>
      <Hero />
      <Story />
      <Features />
      <QuickStart />
    </>
  );
}
