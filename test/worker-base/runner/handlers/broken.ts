export const broken: number = JSON.parse('{');
