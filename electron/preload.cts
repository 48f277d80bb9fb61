import type { AppError, Bridge, Channel, Push } from '../core/ipc.ts';

const { contextBridge, ipcRenderer } = require('electron') as typeof import('electron');

const call = (channel: Channel) => (input: unknown) => ipcRenderer.invoke(channel, input);

/** Named functions, one per channel of the contract: the compiler refuses a list that lacks one, the page reaches no other. */
const calls: Readonly<Record<Channel, (input: unknown) => Promise<unknown>>> = {
  'app.info': call('app.info'),
  'library.list': call('library.list'),
  'file.choose': call('file.choose'),
  'guide.load': call('guide.load'),
  'publisher.pin': call('publisher.pin'),
  'publisher.unpin': call('publisher.unpin'),
  'trust.list': call('trust.list'),
  'trust.pin': call('trust.pin'),
  'trust.remove': call('trust.remove'),
  'site.load': call('site.load'),
  'session.list': call('session.list'),
  'session.open': call('session.open'),
  'session.resume': call('session.resume'),
  'session.snapshot': call('session.snapshot'),
  'session.close': call('session.close'),
  'session.handOver': call('session.handOver'),
  'session.takeOver': call('session.takeOver'),
  'secret.put': call('secret.put'),
  'secret.supply': call('secret.supply'),
  'people.key': call('people.key'),
  'people.names': call('people.names'),
  'baseline.choose': call('baseline.choose'),
  'gate.check': call('gate.check'),
  'preflight.accept': call('preflight.accept'),
  'walk.run': call('walk.run'),
  'walk.cancel': call('walk.cancel'),
  'walk.reply': call('walk.reply'),
  'walk.answer': call('walk.answer'),
  'walk.attach': call('walk.attach'),
  'walk.attachPicture': call('walk.attachPicture'),
  'walk.waive': call('walk.waive'),
  'facts.read': call('facts.read'),
  'facts.link': call('facts.link'),
  'change.plan': call('change.plan'),
  'change.apply': call('change.apply'),
  'change.settle': call('change.settle'),
  'change.handOff': call('change.handOff'),
  'change.undo': call('change.undo'),
  'certificate.handOff': call('certificate.handOff'),
  'certificate.import': call('certificate.import'),
  'certificate.anchors': call('certificate.anchors'),
  'identity.list': call('identity.list'),
  'identity.unlock': call('identity.unlock'),
  'identity.signOpening': call('identity.signOpening'),
  'bundle.seal': call('bundle.seal'),
  'bundle.countersign': call('bundle.countersign'),
  'bundle.list': call('bundle.list'),
  'bundle.verify': call('bundle.verify'),
  'bundle.openReport': call('bundle.openReport'),
  'bundle.showInFolder': call('bundle.showInFolder'),
  'bundle.encrypt': call('bundle.encrypt'),
  'bundle.decrypt': call('bundle.decrypt'),
  'bundle.editionPlan': call('bundle.editionPlan'),
  'bundle.edition': call('bundle.edition'),
  'report.save': call('report.save'),
  'timestamp.ask': call('timestamp.ask'),
  'timestamp.query': call('timestamp.query'),
  'timestamp.answer': call('timestamp.answer'),
  'outside.prepare': call('outside.prepare'),
  'outside.import': call('outside.import'),
};

const unknownChannel: AppError = {
  code: 'ipc.invalid',
  message: 'The page asked for something that does not exist.',
  fixBy: 'lockstep',
};

const bridge = {
  invoke: (channel: string, input: unknown) =>
    Object.hasOwn(calls, channel)
      ? calls[channel as Channel](input)
      : Promise.resolve({ ok: false, error: unknownChannel }),
  onPush: (listener: (push: Push) => void) => {
    // The event itself stays here: it carries the sender, through which every channel could be reached.
    const forward = (_event: unknown, push: Push) => listener(push);
    ipcRenderer.on('push', forward);
    return () => void ipcRenderer.removeListener('push', forward);
  },
};

contextBridge.exposeInMainWorld('lockstep', bridge satisfies Record<keyof Bridge, unknown>);
