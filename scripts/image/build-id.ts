/** Prints the id of a web build in an image: a hash of what it is made of, since an image's build sees no repository. */
import { webInputs } from '../start/build-web.ts';
import { hashInputs } from '../start/stamp.ts';

process.stdout.write(`${hashInputs(webInputs).slice(0, 12)}\n`);
