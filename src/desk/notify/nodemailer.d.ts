declare module 'nodemailer' {
  /** What this program uses of a transport made from an SMTP address. */
  export interface Transport {
    sendMail(mail: {
      readonly from: string;
      readonly to: string;
      readonly subject: string;
      readonly text: string;
      readonly disableFileAccess: true;
      readonly disableUrlAccess: true;
    }): Promise<unknown>;
    close(): void;
  }
  export function createTransport(
    options: Readonly<Record<string, string | number | boolean | object | undefined>>,
  ): Transport;
}
