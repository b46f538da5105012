import { stored, store } from "../preferences";

/** What somebody wants to be told of on this device. `mine`: what is assigned to them. */
export type Reach = "off" | "mine" | "all";

const reaches: readonly string[] = ["off", "mine", "all"] satisfies Reach[];

/** One kind of alert. Read whenever it is needed: another tab of this device may have changed it. */
function choice(key: string, usual: Reach) {
  return {
    get(): Reach {
      const value = stored(key);
      return value !== null && reaches.includes(value) ? (value as Reach) : usual;
    },
    set: (reach: Reach): void => store(key, reach === usual ? null : reach),
  };
}

export const soundChoice = choice("earshot.sound", "mine");
/** Off until somebody asks for it: only then is the browser asked for its permission. */
export const notificationChoice = choice("earshot.notifications", "off");
