import { expect, test } from 'vitest';
import { FILE_SIZE, LENGTH, OFFSET, type Server, SIZE } from '../../scripts/bench/abstraction/request.ts';
import { ways } from '../../scripts/bench/abstraction/ways.ts';

test('what the layers are measured against answers as they do', () => {
  for (const { layers, byHand, reply } of ways()) {
    const replyOf = (server: Server) => Buffer.from(reply.fill(0).subarray(0, server(LENGTH)));
    const answer = replyOf(layers);
    expect(replyOf(byHand)).toEqual(answer);
    expect(answer.toString('latin1', 16)).toBe('ramproc'.repeat(FILE_SIZE / 7).slice(OFFSET, OFFSET + SIZE));
  }
});
