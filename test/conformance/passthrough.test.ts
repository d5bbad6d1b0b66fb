import { playOn } from './play.ts';

playOn('passthrough');
