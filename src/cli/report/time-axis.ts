// Where a time axis has its marks, and what stands at them: local hours, days or months, a handful of each. Pure.

/** A mark at a time, epoch ms. */
export interface TimeMark {
  readonly time: number;
  readonly label: string;
}

const HOUR_MS = 3_600_000;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Steps in hours; a part of an hour divides it. */
const HOUR_STEPS = [1 / 12, 1 / 6, 1 / 4, 1 / 2, 1, 2, 3, 6, 12];
const DAY_STEPS = [1, 2, 7, 14];
const MONTH_STEPS = [1, 2, 3, 6, 12];

/** `Tue 17 Nov`. */
export function dayLabel(time: number): string {
  const date = new Date(time);
  return `${DAYS[date.getDay()]} ${date.getDate()} ${MONTHS[date.getMonth()]}`;
}

/** `Tue 17 Nov 14:05`. */
export function timeLabel(time: number): string {
  return `${dayLabel(time)} ${clock(new Date(time))}`;
}

/** At most `most` marks on round local times within a stretch. */
export function timeMarks(from: number, to: number, most: number): TimeMark[] {
  const hours = (to - from) / HOUR_MS;
  const hourStep = HOUR_STEPS.find((step) => hours / step <= most);
  if (hourStep !== undefined && hours < 72) return hourMarks(from, to, hourStep);
  const dayStep = DAY_STEPS.find((step) => hours / 24 / step <= most);
  if (dayStep !== undefined) return dayMarks(from, to, dayStep, hours / 24 / dayStep <= most / 2);
  return monthMarks(from, to, MONTH_STEPS.find((step) => hours / 24 / 30 / step <= most) ?? 12);
}

function hourMarks(from: number, to: number, step: number): TimeMark[] {
  const marks: TimeMark[] = [];
  const start = new Date(from);
  for (let hour = 0; ; hour += step) {
    const date = new Date(start.getFullYear(), start.getMonth(), start.getDate(), 0, Math.round(hour * 60));
    if (date.getTime() > to) return marks;
    const label = date.getHours() === 0 && date.getMinutes() === 0 ? dayLabel(date.getTime()) : clock(date);
    if (date.getTime() >= from && marks.at(-1)?.time !== date.getTime()) marks.push({ time: date.getTime(), label });
  }
}

function dayMarks(from: number, to: number, step: number, hasRoom: boolean): TimeMark[] {
  const marks: TimeMark[] = [];
  const start = new Date(from);
  for (let day = 0; ; day += step) {
    const date = new Date(start.getFullYear(), start.getMonth(), start.getDate() + day);
    const time = date.getTime();
    if (time > to) return marks;
    const label = hasRoom ? dayLabel(time) : `${date.getDate()} ${MONTHS[date.getMonth()]}`;
    if (time >= from) marks.push({ time, label });
  }
}

function monthMarks(from: number, to: number, step: number): TimeMark[] {
  const marks: TimeMark[] = [];
  const start = new Date(from);
  for (let month = 0; ; month += step) {
    const date = new Date(start.getFullYear(), start.getMonth() + month, 1);
    const time = date.getTime();
    if (time > to) return marks;
    if (time >= from) marks.push({ time, label: `${MONTHS[date.getMonth()]} ${date.getFullYear()}` });
  }
}

function clock(date: Date): string {
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
}
