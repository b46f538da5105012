import { mask } from "./masks";

/** Longer sides are made smaller: enough to read by, and a fraction of the bytes. */
const MOST_PX = 2_560;
/** By then what was hidden is so in the stream, too; what is drawn comes after that, or not at all where nothing moves. */
const REPAINT_MS = 400;
const NEXT_FRAME_MS = 1_000;

/**
 * What the visitor shares: one picture, and the sharing ends. `veil` hides and shows the widget. Undefined where they
 * would rather not.
 */
export async function capture(veil: (hidden: boolean) => void): Promise<HTMLCanvasElement | undefined> {
  // Before anything is shared, so that no frame shows it.
  const unmask = mask();
  veil(true);
  let stream: MediaStream | undefined;
  try {
    stream = await share();
    return stream && (await draw(stream));
  } finally {
    stream?.getTracks().forEach((track) => track.stop());
    veil(false);
    unmask();
  }
}

async function share(): Promise<MediaStream | undefined> {
  // Known to some browsers only, and left out by the others: the visitor need not look for the tab they are in.
  const wishes = { preferCurrentTab: true, selfBrowserSurface: "include", video: { displaySurface: "browser" }, audio: false };
  try {
    return await navigator.mediaDevices.getDisplayMedia(wishes as DisplayMediaStreamOptions);
  } catch (error) {
    if ((error as Error).name === "NotAllowedError") return undefined;
    throw error;
  }
}

async function draw(stream: MediaStream): Promise<HTMLCanvasElement> {
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = stream;
  await video.play();
  await wait(REPAINT_MS);
  await Promise.race([new Promise((done) => video.requestVideoFrameCallback?.(done)), wait(NEXT_FRAME_MS)]);
  const scale = Math.min(1, MOST_PX / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d")!.drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));
