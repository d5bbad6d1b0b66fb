import { playOn } from './play.ts';

playOn('libfuse');
