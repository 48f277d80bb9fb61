/**
 * An operator at the device of an impostor trial: confirms that it is free, makes it connect to the port that the question
 * names, and sets it back.
 * @param device connects once to this port
 * @param after what the device does when it is told to send after it was set back; default: it goes elsewhere
 */
export function impostorOperator(
  device: (port: number) => Promise<unknown>,
  after: () => Promise<unknown> = () => Promise.resolve(),
): (question: string) => Promise<boolean> {
  return async (question) => {
    if (question.includes('Set the device back')) await after();
    else if (question.includes('port ')) await device(Number(/port (\d+)/.exec(question)?.[1]));
    return true;
  };
}
